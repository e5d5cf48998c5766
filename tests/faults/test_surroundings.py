"""A capture where something that it could expect is not there, or not as it should be."""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.repository import SNAPSHOT, VIEW, Repository, is_root, one_line, place

pytestmark = pytest.mark.e2e

BODY = (
    "import time\n{patch}\nfrom envstage.cli import main\nimport sys\nsys.exit(main(['capture']))"
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.at(tmp_path)
    repository.install("alpha", "1.0")
    repository.capture()
    return repository


def without_power_over_files(*command: str) -> list[str]:
    """A command to whom file permissions apply, though root may be who calls it."""
    if not is_root():
        return list(command)
    setpriv = shutil.which("setpriv")
    dropped = "-dac_override,-dac_read_search,-fowner"
    prefix = [setpriv or "setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"]
    if setpriv is None or subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("root, and no way to give that up here")
    return [*prefix, *command]


def unchanged(repository: Repository, *, command: list[str] | None = None, **environ: str) -> str:
    """A capture that gives the same bytes; what it says."""
    before = repository.outputs()
    said = repository.run(
        *(command or ["envstage", "capture"]), code=0, cwd=".", umask=-1, **environ
    )
    assert "Traceback" not in said
    assert repository.outputs() == before
    return said


def test_no_home(repository: Repository) -> None:
    environ = {
        name: value
        for name, value in repository.variables().items()
        if name not in ("HOME", "USER", "LOGNAME") and not name.startswith("XDG_")
    }
    before = repository.outputs()
    program = shutil.which("envstage", path=environ["PATH"])
    assert program
    done = subprocess.run(
        [program, "capture"], cwd=repository.root, env=environ, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert repository.outputs() == before
    unchanged(repository, HOME="/nonexistent/home", XDG_CACHE_HOME="")
    unchanged(repository, HOME="relative", XDG_CACHE_HOME="also/relative")
    assert not (repository.root / "also").exists()


def test_a_cache_that_cannot_be_written(repository: Repository) -> None:
    in_the_way = place(repository.base, "file", "")
    unchanged(repository, ENVSTAGE_CACHE=str(in_the_way / "cache"))
    unchanged(repository, ENVSTAGE_CACHE=str(in_the_way))
    unchanged(repository, ENVSTAGE_CACHE="/proc/self/nothing")
    unchanged(repository, ENVSTAGE_CACHE="")
    closed = repository.base / "closed"
    closed.mkdir(mode=0o555)
    command = without_power_over_files("envstage", "capture")
    unchanged(repository, command=command, ENVSTAGE_CACHE=str(closed))
    assert not list(closed.iterdir())


GARBAGE = (
    b"",
    b"{",
    b"\xff" * 3000,
    b"[" * 100_000,
    b"null",
    b'{"alpha-1.0.dist-info": [[[]], {}]}',
)


def test_a_cache_full_of_garbage(repository: Repository) -> None:
    folder = repository.base / "cache"
    for file in filled_cache(repository, folder):
        for garbage in GARBAGE:
            file.write_bytes(garbage)
            unchanged(repository, ENVSTAGE_CACHE=str(folder))
        file.unlink()
        file.mkdir()
        unchanged(repository, ENVSTAGE_CACHE=str(folder))


def filled_cache(repository: Repository, folder: Path) -> list[Path]:
    """A cache with everything that two captures keep."""
    age(repository.venv.site)
    for _ in range(2):
        unchanged(repository, ENVSTAGE_CACHE=str(folder))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return files


@pytest.mark.skipif(not is_root(), reason="only root can give files away")
def test_a_cache_of_another_user_is_not_believed(repository: Repository) -> None:
    folder = repository.base / "cache"
    expected = repository.facts()["packages"]["alpha"]["build"]
    poisoned = 0
    for file in filled_cache(repository, folder):
        text = file.read_text()
        if expected in text:
            file.write_text(text.replace(expected, "sha256:" + "0" * 64))
            poisoned += 1
        os.chown(file, 54321, 54321)
    assert poisoned
    unchanged(repository, ENVSTAGE_CACHE=str(folder))
    os.chown(folder, 54321, 54321)
    unchanged(repository, ENVSTAGE_CACHE=str(folder))


def test_no_git_on_path(repository: Repository) -> None:
    commit = repository.run("git", "rev-parse", "HEAD").strip()
    path = f"{repository.venv.bin}:{repository.tools}"
    program = shutil.which("envstage", path=path)
    assert program
    # Its script is started by a shell that need not be on PATH.
    done = subprocess.run(
        [program, "capture"],
        cwd=repository.root,
        env=repository.variables() | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    code = repository.context()["code"]
    assert (code["branch"], code["commit"], code["dirty"]) == ("main", commit, None)


@pytest.mark.parametrize(
    "head",
    [b"", b"\n", b"ref: refs/heads/gone\n", b"ref: ", b"garbage\n", b"\xff\xfe\x00", b"0" * 40],
)
def test_a_broken_head(repository: Repository, head: bytes) -> None:
    (repository.root / ".git" / "HEAD").write_bytes(head)
    assert "fatal" not in unchanged(repository)
    assert repository.context()["code"].get("dirty") is None


@pytest.mark.parametrize(
    "kind", ["a file that leads nowhere", "an empty folder", "a link to itself"]
)
def test_a_broken_git_folder(repository: Repository, kind: str) -> None:
    git = repository.root / ".git"
    shutil.rmtree(git)
    if kind == "an empty folder":
        git.mkdir()
    elif kind == "a link to itself":
        git.symlink_to(git)
    else:
        git.write_text("gitdir: ../nowhere\n")
    unchanged(repository)


@pytest.mark.parametrize("year", [1971, 2105])
def test_times_of_files_from_another_time(repository: Repository, year: int) -> None:
    cache = repository.base / "cache"
    filled_cache(repository, cache)
    seconds = (year - 1970) * 31_556_952
    for folder in (repository.root, repository.venv.site, cache):
        for path in folder.rglob("*"):
            if not path.is_symlink():
                os.utime(path, (seconds, seconds))
    unchanged(repository, ENVSTAGE_CACHE=str(cache))
    # What did not change keeps its time: Snakemake looks at it.
    assert (repository.root / VIEW).stat().st_mtime == seconds
    repository.install("alpha", "2.0")
    repository.capture(ENVSTAGE_CACHE=str(cache))
    assert repository.versions(VIEW) == {"alpha": "2.0"}


@pytest.mark.parametrize(
    "patch",
    [
        "now = time.time_ns; time.time_ns = lambda: now() - 10**18; time.time = lambda: 1.0",
        "ticks = iter(range(10**18, 0, -10**9)); time.time_ns = lambda: next(ticks)",
        "time.time_ns = lambda: 0",
        "time.time_ns = lambda: 2**62",
    ],
    ids=["thirty years back", "backwards", "at the epoch", "far ahead"],
)
def test_a_clock_that_is_wrong(repository: Repository, patch: str) -> None:
    code = BODY.format(patch=patch)
    unchanged(repository, command=[sys.executable, "-c", code])


@pytest.mark.parametrize("count", [500, pytest.param(5000, marks=pytest.mark.long)])
def test_very_many_distributions(repository: Repository, count: int) -> None:
    site = repository.venv.site
    for number in range(count):
        info = site / f"made_{number}-1.{number}.dist-info"
        about = f"Metadata-Version: 2.1\nName: made-{number}\nVersion: 1.{number}\n"
        place(info, "METADATA", about)
        rows = "".join(f"made_{number}/part{part}.py,sha256=abc,{part}\n" for part in range(20))
        place(info, "RECORD", rows)
    cache = str(repository.base / "cache")
    repository.capture(ENVSTAGE_CACHE=cache)
    versions = repository.versions(VIEW)
    assert len(versions) == count + 1
    assert versions[f"made-{count - 1}"] == f"1.{count - 1}"
    started = time.monotonic()
    unchanged(repository, ENVSTAGE_CACHE=cache)
    assert time.monotonic() - started < 30
    assert repository.read("environment/requirements.txt").count("made-") == count


def test_a_folder_of_the_import_path_that_cannot_be_read(repository: Repository) -> None:
    closed = repository.base / "closed"
    place(closed, "inner-1.0.dist-info/METADATA", "Name: inner\nVersion: 1.0\n")
    place(repository.venv.site, "closed.pth", f"{closed}\n")
    said = with_closed(closed, repository, code=0)
    assert repository.versions() == {"alpha": "1.0"}
    assert "a folder of the import path cannot be listed: closed" in said


def test_a_package_that_cannot_be_read_is_unknown_and_not_absent(repository: Repository) -> None:
    repository.install("beta", "1.0")
    before = repository.outputs()
    said = with_closed(repository.venv.site / "beta-1.0.dist-info", repository, code=3)
    assert "packages.beta.build (RECORD cannot be read: Permission denied)" in one_line(said)
    assert repository.outputs() == before


def with_closed(folder: Path, repository: Repository, code: int) -> str:
    """What a capture says while a folder cannot be read."""
    command = without_power_over_files("envstage", "capture")
    folder.chmod(0)
    try:
        said = repository.run(*command, code=code)
    finally:
        folder.chmod(stat.S_IRWXU)
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("kind", ["a loop", "a dangling link"])
def test_metadata_that_leads_nowhere(repository: Repository, kind: str) -> None:
    info = repository.venv.site / "odd-1.0.dist-info"
    info.symlink_to(info if kind == "a loop" else "nowhere")
    assert "odd-1.0.dist-info has neither METADATA nor RECORD" in repository.capture()
    assert repository.versions() == {"alpha": "1.0"}


def test_a_record_that_is_a_folder_is_unknown_and_not_absent(repository: Repository) -> None:
    before = repository.outputs()
    record = repository.venv.site / "odd-1.0.dist-info" / "RECORD"
    record.mkdir(parents=True)
    said = one_line(repository.capture(code=3))
    assert "packages.odd.build (RECORD cannot be read: Is a directory)" in said
    assert repository.outputs() == before


def test_a_snapshot_that_is_a_folder(repository: Repository) -> None:
    (repository.root / SNAPSHOT).unlink()
    (repository.root / SNAPSHOT).mkdir()
    said = one_line(repository.capture(code=2))
    assert "environment/environment.json: cannot be written: Is a directory" in said


def age(folder: Path) -> None:
    """Wait until the cache takes the metadata for settled."""
    newest = max(path.stat().st_ctime for path in folder.glob("*.dist-info/*"))
    time.sleep(max(0.0, newest + 2.1 - time.time()))
