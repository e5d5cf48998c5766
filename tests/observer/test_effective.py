"""What was in effect: read at the end, truthfully, and without a trace in the observation."""

import json
import shutil
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest

from envstage.observer.events import Report, read_reports
from envstage.observer.observation import combine, environ_for, wait_for_stragglers
from envstage.observer.report import WANTED
from envstage.receipts.libraries import libraries
from envstage.receipts.model import Process
from envstage.receipts.processes import mapped, processes_of
from tests.observer.observed import plain_environ, unobserved

# Their own words: what this process has mapped, as it ends.
MAPS = """\
import atexit, json
def tell():
    with open("/proc/self/maps") as file:
        paths = {line[line.index("/"):].strip() for line in file if "/" in line}
    with open("maps.json", "w") as file:
        json.dump(sorted(path for path in paths if ".so" in path), file)
atexit.register(tell)
"""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    returncode: int
    stdout: str
    stderr: str
    reports: tuple[Report, ...]
    processes: tuple[Process, ...]


def looked(
    folder: Path, text: str, python: str = sys.executable, *, is_wanted: bool = True
) -> Looked:
    """Run a script whose receipt is wanted."""
    (folder / "script.py").write_text(textwrap.dedent(text))
    report = folder / "report"
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir()
    if is_wanted:
        (report / WANTED).touch()
    done = unobserved([python, "script.py"], folder, environ_for(str(report), plain_environ()))
    wait_for_stragglers(str(report), timeout_s=10)
    reports = read_reports(str(report))
    return Looked(
        returncode=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        reports=reports,
        processes=processes_of(reports),
    )


def kinds(looked: Looked) -> set[str]:
    return {event[0] for report in looked.reports for event in report.events}


def test_every_python_tells_and_the_program_notices_nothing(tmp_path: Path, python: str) -> None:
    text = """
        import os, sys
        os.environ["OMP_NUM_THREADS"] = "3"
        print(sorted(set(sys.modules) - {"sitecustomize"}))
    """
    found = looked(tmp_path, text, python)
    assert (found.returncode, found.stderr) == (0, "")
    (process,) = found.processes
    assert process.settings["variables.OMP_NUM_THREADS"] == "3"
    assert process.settings["python.hash_randomization"] is True
    assert looked(tmp_path, text, python, is_wanted=False).stdout == found.stdout


def test_without_a_wish_nothing_is_said(tmp_path: Path) -> None:
    assert not kinds(looked(tmp_path, "pass", is_wanted=False)) & {"setting", "pool"}


@pytest.mark.e2e
@pytest.mark.parametrize(
    "text", ["import sklearn.linear_model, numpy; numpy.random.seed(7)", "import sys", "1 / 0"]
)
def test_looking_is_no_use(tmp_path: Path, text: str) -> None:
    """The observation is the same, to the last event, whether a receipt is wanted or not."""
    with_it = combine(looked(tmp_path, text).reports)
    without = combine(looked(tmp_path, text, is_wanted=False).reports)
    plain = {"processes": (), "began_s": 0.0}
    assert msgspec.structs.replace(with_it, **plain) == msgspec.structs.replace(without, **plain)
    assert with_it.doubts == without.doubts == ()


def test_nothing_is_imported_for_it(tmp_path: Path) -> None:
    """NumPy is installed here, and the program has not loaded it: nor does anybody else."""
    text = """
        import atexit, os, sys
        end = os._exit
        class Last:
            def __del__(self):
                os.write(1, repr(sorted({"numpy", "threadpoolctl"} & set(modules))).encode())
        modules = sys.modules
        last = Last()
    """
    found = looked(tmp_path, text)
    assert found.stdout == "[]"
    assert "numpy.version" not in found.processes[0].settings


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="/proc/<pid>/maps")
def test_libraries_are_those_that_were_mapped(tmp_path: Path) -> None:
    text = MAPS + "import numpy, sklearn.linear_model\nnumpy.ones((9, 9)) @ numpy.ones((9, 9))\n"
    found = looked(tmp_path, text)
    assert found.returncode == 0, found.stderr
    maps = json.loads((tmp_path / "maps.json").read_text())
    made = libraries(mapped(found.reports), lambda path: None)
    marks = {"blas": "openblas", "openmp": "gomp", "libc": "libc.so"}
    for kind, mark in marks.items():
        paths = {each.path for each in made if each.kind == kind}
        assert paths == {path for path in maps if mark in path.rpartition("/")[2]}
        assert paths, kind
    assert {each.version for each in made if each.kind == "libc"} == {libc_version()}
    pools = {pool.path: pool.version for pool in found.processes[0].pools if pool.api == "openblas"}
    assert pools == {each.path: each.version for each in made if each.kind == "blas"}


def libc_version() -> str:
    import os

    return os.confstr("CS_GNU_LIBC_VERSION").split()[1]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("numpy.random.seed(42)", 42),
        ("numpy.random.seed(0)", 0),
        ("numpy.random.seed(42); numpy.random.rand()", None),
        ("numpy.random.seed([1, 2])", None),
        ("numpy.random.default_rng(42)", None),
    ],
)
def test_numpys_seed_where_it_is_knowable(tmp_path: Path, text: str, seed: int | None) -> None:
    (process,) = looked(tmp_path, f"import numpy\n{text}\n").processes
    assert process.settings.get("numpy.random.seed") == seed


def test_a_framework_that_fails_when_asked_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(
        "import sys\n__version__ = '9'\n"
        "def initial_seed():\n    print('noise', file=sys.stderr) if False else 1 / 0\n"
        "def get_num_threads():\n    return 5\n"
        "def __getattr__(name):\n    raise RuntimeError(name)\n"
    )
    found = looked(tmp_path, "import torch\n")
    assert (found.returncode, found.stderr) == (0, "")
    settings = found.processes[0].settings
    assert (settings["torch.version"], settings["torch.threads"]) == ("9", 5)
    assert "torch.initial_seed" not in settings


def test_workers_tell_as_well(tmp_path: Path) -> None:
    text = """
        import multiprocessing, os
        def work(n):
            os.environ["OMP_NUM_THREADS"] = "1"
        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            processes = [context.Process(target=work, args=(n,)) for n in range(3)]
            [each.start() for each in processes], [each.join() for each in processes]
    """
    found = looked(tmp_path, text)
    counts = {
        each.settings.get("variables.OMP_NUM_THREADS"): each.count for each in found.processes
    }
    assert counts == {None: 1, "1": 3}


def test_a_killed_process_says_that_it_could_not(tmp_path: Path) -> None:
    (process,) = looked(tmp_path, "import os, signal; os.kill(os.getpid(), 9)").processes
    assert process.unseen == "it did not report its end"
    assert process.settings == {}
