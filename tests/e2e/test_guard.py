"""The guard in DVC: drift fails a stage and poisons no cache, experiments and queues work."""

import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import re
import subprocess
import termios
import time
from collections.abc import Callable

import pytest
import yaml

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

VIEW = "environment/views/train.json"
WAITING = """\
import os, pathlib, sys, time
import alpha
pathlib.Path("model.txt").write_text("half ")
if pathlib.Path("../wait").exists():
    pathlib.Path("../begun").touch()
    while not pathlib.Path("../go-on").exists():
        time.sleep(0.02)
pathlib.Path("model.txt").write_text(f"alpha {alpha.version}\\n")
"""
LEARNING = """\
import pathlib
import alpha
rate = pathlib.Path("params.yaml").read_text()
pathlib.Path("model.txt").write_text(f"alpha {alpha.version} {rate}")
"""


def drifts(pipeline: Pipeline, change: Callable[[], None], code: int) -> str:
    """Change something in the environment while the stage runs; what DVC said."""
    for name in ("wait", "begun", "go-on"):
        (pipeline.base / name).unlink(missing_ok=True)
    (pipeline.base / "wait").touch()
    process = subprocess.Popen(
        ["dvc", "repro"],
        cwd=pipeline.root,
        env=pipeline.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (pipeline.base / "begun").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.02)
    change()
    (pipeline.base / "go-on").touch()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    (pipeline.base / "wait").unlink()
    return output


def cached(pipeline: Pipeline) -> set[str]:
    """Every result of the run cache, and every object of the cache."""
    cache = pipeline.root / ".dvc" / "cache"
    return {str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file()}


def test_package_changed_while_the_stage_ran(guarded: Pipeline) -> None:
    lock, view, before = guarded.read("dvc.lock"), guarded.read(VIEW), cached(guarded)
    guarded.write("train.py", WAITING)
    said = drifts(guarded, lambda: guarded.install("alpha", "2.0"), code=255)
    assert "environment changed while the command ran: packages.alpha 1.0 → 2.0" in said
    # The old outs stay recorded, no result is kept, the view says what it said.
    assert guarded.read("dvc.lock") == lock
    assert cached(guarded) == before
    assert guarded.read(VIEW) == view
    # The next run is one of the new environment, and the old result comes back with the old one.
    assert guarded.ran(guarded.repro()) == {"environment", "train"}
    assert guarded.read("model.txt") == "alpha 2.0\n"
    guarded.install("alpha", "1.0")
    assert guarded.ran(guarded.repro()) == {"environment", "train"}
    assert guarded.read("model.txt") == "alpha 1.0\n"


def test_package_that_is_not_used_may_change(guarded: Pipeline) -> None:
    guarded.write("train.py", WAITING)
    drifts(guarded, lambda: guarded.install("beta", "2.0"), code=0)
    assert guarded.ran(guarded.repro()) == {"environment"}


def test_name_that_appears_while_the_stage_runs(guarded: Pipeline) -> None:
    optional = "try:\n    import gamma\nexcept ImportError:\n    pass\n"
    guarded.write("train.py", optional + WAITING)
    said = drifts(guarded, lambda: guarded.install("gamma", "1.0"), code=255)
    assert re.search("changed while the command ran: .*gamma", said)


def test_file_outside_every_package_that_is_edited_meanwhile(guarded: Pipeline) -> None:
    loose = guarded.base / "lib" / "loose.py"
    loose.parent.mkdir()
    loose.write_text("version = '1'\n")
    text = f"import sys\nsys.path.insert(0, {str(loose.parent)!r})\nimport loose\n"
    guarded.write("train.py", text + WAITING)
    assert "train" in guarded.ran(guarded.repro())
    lock = guarded.read("dvc.lock")
    guarded.write("train.py", text + WAITING + "# again\n")

    def edit() -> None:
        loose.write_text("version = '2'\n")

    said = drifts(guarded, edit, code=255)
    assert re.search("changed while the command ran: .*loose", said)
    assert (
        yaml.safe_load(guarded.read("dvc.lock"))["stages"]["train"]
        == (yaml.safe_load(lock)["stages"]["train"])
    )


def test_drift_that_is_let_pass(guarded: Pipeline) -> None:
    guarded.write("train.py", WAITING)
    with_option(guarded, "--on-drift warn")
    said = drifts(guarded, lambda: guarded.install("alpha", "2.0"), code=0)
    assert "environment changed while the command ran: packages.alpha 1.0 → 2.0" in said
    # Recorded under the environment of its start: the new one makes the stage run again.
    assert '"version": "1.0"' in guarded.read(VIEW)
    assert guarded.ran(guarded.repro()) == {"environment", "train"}
    assert '"version": "2.0"' in guarded.read(VIEW)


def test_drift_where_nobody_observes(guarded: Pipeline) -> None:
    guarded.write("train.py", WAITING)
    guarded.write("envstage.yaml", guarded.read("envstage.yaml") + "guard: {observe: false}\n")
    lock = guarded.read("dvc.lock")
    said = drifts(guarded, lambda: guarded.install("alpha", "2.0"), code=255)
    assert "environment changed while the command ran" in said
    assert guarded.read("dvc.lock") == lock


@pytest.mark.parametrize("options", ["--on-mismatch warn", "--on-mismatch record --no-observe"])
def test_mismatch_that_is_let_pass_is_stored_as_what_it_is(guarded: Pipeline, options: str) -> None:
    with_option(guarded, "--no-observe")
    guarded.install("alpha", "2.0")
    said = guarded.repro("-s", "train", code=255)  # without the capture
    assert "this machine is not what the view says: packages.alpha 1.0 → 2.0" in said
    with_option(guarded, options)
    said = guarded.repro("-s", "train")
    assert "this machine is not what the view says: packages.alpha 1.0 → 2.0" in said
    assert '"version": "2.0"' in guarded.read(VIEW)
    # The result is one of this environment, and going back is another one.
    assert guarded.ran(guarded.repro()) == {"environment"}
    guarded.install("alpha", "1.0")
    assert "train" in guarded.ran(guarded.repro())
    assert guarded.read("model.txt") == "alpha 1.0\n"


def test_held_view_is_refused_and_policy_lets_it_pass(guarded: Pipeline) -> None:
    elsewhere = (
        "environments: {main: {where: {system.architecture: another}}}\nviews: {train: {}}\n"
    )
    guarded.write("envstage.yaml", elsewhere)
    guarded.write("train.py", LEARNING)
    guarded.write("params.yaml", "lr: 1\n")
    view = guarded.read(VIEW)
    assert "none of the machines of the environment main" in guarded.repro(code=255)
    assert guarded.read(VIEW) == view
    guarded.write("envstage.yaml", f"{elsewhere}guard: {{on_mismatch: warn}}\n")
    assert "started nevertheless" in guarded.repro()


def with_option(pipeline: Pipeline, options: str) -> None:
    text = pipeline.read("dvc.yaml")
    start, _, rest = text.partition("--view train ")
    pipeline.write("dvc.yaml", f"{start}--view train {options} -- {rest.partition('-- ')[2]}")


@pytest.fixture
def learning(guarded: Pipeline) -> Pipeline:
    """A guarded pipeline with a parameter."""
    guarded.write("train.py", LEARNING)
    guarded.write("params.yaml", "lr: 1\n")
    text = guarded.read("dvc.yaml").replace(
        "    outs:\n    - model", "    params: [lr]\n    outs:\n    - model"
    )
    guarded.write("dvc.yaml", text)
    guarded.repro()
    guarded.repro()
    guarded.commit("a parameter")
    return guarded


def packages(pipeline: Pipeline, experiment: str) -> set[str]:
    references = pipeline.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (found,) = [each for each in references if each.endswith(f"/{experiment}")]
    document = json.loads(pipeline.run("git", "show", f"{found}:{VIEW}"))
    return set(document["facts"]["packages"])


def test_experiment_in_a_copy_of_the_repository(learning: Pipeline) -> None:
    learning.install("alpha", "2.0")
    said = learning.run("dvc", "exp", "run", "--temp", "-n", "mine", "-S", "lr=2")
    assert "stays wide" not in said
    assert packages(learning, "mine") == {"alpha"}
    learning.run("dvc", "exp", "apply", "mine")
    assert learning.read("model.txt") == "alpha 2.0 lr: 2\n"
    assert learning.ran(learning.repro()) == {"environment"}


@pytest.mark.long  # its workers take their time to start
def test_queue_of_experiments(learning: Pipeline) -> None:
    names = [f"mine-{number}" for number in range(4)]
    for number, name in enumerate(names):
        learning.run("dvc", "exp", "run", "--queue", "-n", name, "-S", f"lr={number + 2}")
    learning.install("alpha", "2.0")
    learning.run("dvc", "queue", "start", "-j", "4")
    try:
        wait_for_queue(learning, len(names))
    finally:
        learning.run("dvc", "queue", "stop", code=None)
    rows = csv.DictReader(io.StringIO(learning.run("dvc", "exp", "show", "--csv")))
    assert {row["lr"] for row in rows if row["Experiment"]} == {"2", "3", "4", "5"}
    for name in names:
        assert packages(learning, name) == {"alpha"}
    assert learning.status() == ""


def wait_for_queue(pipeline: Pipeline, count: int) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        words = pipeline.run("dvc", "queue", "status").split()
        assert "Failed" not in words, pipeline.run("dvc", "queue", "logs", "mine-0", code=None)
        if words.count("Success") == count:
            return
        time.sleep(0.5)
    raise AssertionError(pipeline.run("dvc", "queue", "status"))


SHELLS = ["/bin/bash", "/bin/sh"]  # DVC starts the user's, and not every shell becomes its command


def without_guard(pipeline: Pipeline) -> str:
    """The stage as it was before it was guarded; the guarded pipeline's text."""
    text = pipeline.read("dvc.yaml")
    pipeline.write("dvc.yaml", text.replace("envstage run --view train -- ", ""))
    assert pipeline.read("dvc.yaml") != text
    return text


@pytest.mark.parametrize("shell", SHELLS)
def test_a_signal_that_killed_the_program_reaches_dvc(guarded: Pipeline, shell: str) -> None:
    guarded.environ["SHELL"] = shell
    guarded.write("train.py", "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    said = exited(guarded.repro(code=255))
    assert said in ("-15", "143")
    without_guard(guarded)
    assert exited(guarded.repro(code=255)) == said


def exited(text: str) -> str | None:
    """The exit status that DVC told of a stage."""
    found = re.search(r"exited with (-?\d+)", text)
    return found and found[1]


SAVES = """\
import pathlib, sys, time
print("begun", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path("model.txt").write_text("saved\\n")
    sys.exit(int(pathlib.Path("code.txt").read_text()))
"""


@pytest.mark.parametrize("code", [0, 3])
def test_interrupted_from_the_terminal(guarded: Pipeline, code: int) -> None:
    """Ctrl-C that the program survives ends the stage well, or as the program says."""
    guarded.environ["SHELL"] = "/bin/bash"
    lock = guarded.read("dvc.lock")
    said, status = interrupted(guarded, code)
    assert status == (0 if code == 0 else 255)
    assert (guarded.read("dvc.lock") != lock) == (code == 0)
    assert said == (str(code) if code else None)


def test_interrupted_under_a_shell_that_dies_of_it(guarded: Pipeline) -> None:
    """A shell that waits for its command takes the signal too: as it was without the guard."""
    guarded.environ["SHELL"] = "/bin/sh"
    ended = interrupted(guarded, 0)
    without_guard(guarded)
    assert interrupted(guarded, 0) == ended


def interrupted(pipeline: Pipeline, code: int) -> tuple[str | None, int]:
    """Ctrl-C while the program works, which saves and ends with a code: what DVC said of it."""
    pipeline.write("train.py", SAVES)
    pipeline.write("code.txt", str(code))
    text, status = in_terminal(pipeline, "begun", b"\x03")
    assert pipeline.read("model.txt") == "saved\n"
    assert text.count("Traceback") == 0
    return exited(text), status


def in_terminal(pipeline: Pipeline, awaited: str, keys: bytes) -> tuple[str, int]:
    """`dvc repro` at a terminal, with keys pressed once something was said."""
    controller, terminal = pty.openpty()

    def lead() -> None:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        ["dvc", "repro"],
        cwd=pipeline.root,
        env=pipeline.variables(),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        preexec_fn=lead,
    )
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(controller, 4096):
            seen += part
            if keys and awaited.encode() in seen:
                time.sleep(0.2)
                os.write(controller, keys)
                keys = b""
    os.close(controller)
    return seen.decode(), process.wait(60)
