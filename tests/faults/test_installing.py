"""An environment that is installed into while it is read: one of two states, or no answer."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.repository import VIEW, Repository, one_line
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.at(tmp_path)
    repository.install("alpha", "1.0")
    repository.capture()
    return repository


@contextlib.contextmanager
def meanwhile(step: Callable[[int], object]) -> Iterator[None]:
    """Call `step` again and again, in a thread, until the block ends."""
    ended = threading.Event()

    def work() -> None:
        count = 0
        while not ended.wait(0.0005):
            step(count)
            count += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_packages_that_never_come_to_rest_are_refused(repository: Repository) -> None:
    site = repository.venv.site

    def step(count: int) -> None:
        (site / f"made{count}-1.0.dist-info").mkdir()

    before = repository.outputs()
    with meanwhile(step):
        said = repository.capture(code=3)
    assert one_line(said) == (
        "envstage: view train: somebody is changing the packages of "
        f"`{repository.venv.python}`. Wait until it is done (pip, uv, conda), then run this again."
    )
    assert repository.outputs() == before


@pytest.mark.hard_case(6)
def test_what_an_interrupted_pip_left_is_an_anomaly_once_it_is_old(repository: Repository) -> None:
    left = repository.venv.site / "~eta-1.0.dist-info"
    left.mkdir()
    assert "somebody is changing the packages" in repository.capture(code=3)
    minutes_ago = time.time() - 300
    os.utime(left, (minutes_ago, minutes_ago))
    # The rename itself is what tells, and nobody can set that time: so the clock goes on.
    site = repository.venv.site
    text = f"import time\nnow = time.time_ns\ntime.time_ns = lambda: now() + {61 * 10**9}\n"
    (site / "later.py").write_text(text)
    (site / "later.pth").write_text("import later\n")
    assert "left behind by an interrupted pip: ~eta-1.0.dist-info" in repository.capture()


def test_an_installation_that_ends_is_waited_for(repository: Repository) -> None:
    site = repository.venv.site
    ends_s = time.monotonic() + 0.25
    done = threading.Event()

    def step(count: int) -> None:
        if time.monotonic() < ends_s:
            (site / f"made{count}-1.0.dist-info").mkdir()
        elif not done.is_set():
            for left in site.glob("made*"):
                left.rmdir()
            done.set()

    with meanwhile(step):
        repository.capture()
    assert done.is_set()
    assert repository.versions(VIEW) == {"alpha": "1.0"}


def test_code_that_is_written_beside_the_packages_is_nobodys_installation(
    repository: Repository,
) -> None:
    code = repository.root / "src"
    code.mkdir()
    (code / "mine.egg-info").mkdir()
    (code / "mine.egg-info" / "PKG-INFO").write_text("Name: mine\nVersion: 0.1\n")
    with meanwhile(lambda count: (code / f"result{count}.txt").write_text("")):
        repository.capture(PYTHONPATH=str(code))


def test_pip_at_work_gives_the_old_or_the_new_package(repository: Repository) -> None:
    # Real pip, to and fro: every capture sees one of the two, as a whole, or says to wait.
    builds = {}
    wheels = []
    files = {f"alpha/part{number}.py": f"x = {number}\n" for number in range(200)}
    for version in ("1.0", "2.0"):
        wheels.append(build_wheel(repository.wheelhouse, "alpha", version, files=files))
        repository.venv.install(wheels[-1])
        repository.capture()
        builds[version] = repository.facts(VIEW)["packages"]["alpha"]["build"]

    ended = threading.Event()

    def install() -> None:
        while not ended.is_set():
            for wheel in wheels:
                subprocess.run(
                    [
                        *(sys.executable, "-m", "pip", "--python", str(repository.venv.python)),
                        *("install", "-q", "--no-index", "--no-deps", "--no-compile"),
                        *("--force-reinstall", "--disable-pip-version-check", str(wheel)),
                    ],
                    check=True,
                    capture_output=True,
                )

    worker = threading.Thread(target=install)
    worker.start()
    seen: set[str | None] = set()
    try:
        for _ in range(8):
            said = repository.capture(code=None)
            if "somebody is changing the packages" in said:
                seen.add(None)
                continue
            # Never without it, though for most of an upgrade pip has it put away.
            package = repository.facts(VIEW)["packages"]["alpha"]
            assert builds[package["version"]] == package["build"], said
            seen.add(package["version"])
    finally:
        ended.set()
        worker.join()
    assert seen
