"""What a command costs, in counts that no busy machine changes: times are for the benchmarks.

Files opened, processes started and modules imported are heard by an audit hook in the process
itself. A count that grows with the packages or views is what makes a large project slow.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.trace.conftest import TICK_S, Traced
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e
# Each costs more than a capture that finds nothing: what a command does not need is not loaded.
HEAVY = {
    *("yaml", "ruamel", "git", "rich", "dvc", "snakemake", "numpy", "packaging", "jinja2"),
    *("importlib.metadata", "typing_extensions", "asyncio", "http", "ssl", "email", "pynvml"),
    *("concurrent.futures", "logging", "multiprocessing", "unittest", "xml", "dataclasses"),
}
SCRIPT = """
import json, sys
counts = {"open": [], "processes": 0}
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith("/"):
        if ".py" not in arguments[0]:
            counts["open"].append(arguments[0])
    counts["processes"] += event in ("subprocess.Popen", "os.posix_spawn")
from envstage.trace import questions
questions.SETTLED_NS = 0
if WARM:
    from envstage.cli import main
    main(WORDS)
before = set(sys.modules)
sys.addaudithook(hook)
from envstage.cli import main
try:
    code = main(WORDS)
except SystemExit as end:
    code = end.code
counts["modules"] = sorted(set(sys.modules) - before)
counts["code"] = code
print(json.dumps(counts), file=sys.stderr)
"""


def counted(project: Traced, *words: str, is_warm: bool = False) -> dict[str, Any]:
    """Run a command in a process of its own, and count; `is_warm`: a second time in it."""
    text = SCRIPT.replace("WORDS", repr(list(words))).replace("WARM", repr(is_warm))
    argv = [sys.executable, "-c", text]
    done = subprocess.run(argv, cwd=project.root, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    assert found["code"] in (0, 1), done.stderr
    return found


def _changed(project: Traced, views: int = 1, change: int = 0) -> None:
    names = "".join(f"  v{number}: {{}}\n" for number in range(views))
    project.write("envstage.yaml", f"# {change}\nviews:\n  train: {{}}\n{names}")


def _fill(project: Traced, count: int) -> None:
    names = [f"many-{number}" for number in range(count)]
    project.venv.install(*(build_wheel(project.wheelhouse, name, "1.0") for name in names))


def test_a_capture_that_finds_nothing_opens_nothing_for_a_package(project: Traced) -> None:
    few = counted(project, "capture")
    _fill(project, 60)
    project.settle()
    many = counted(project, "capture")
    assert few["processes"] == many["processes"] == 2  # the probe, and Git
    assert len(few["open"]) == len(many["open"]) <= 25


def test_a_whole_capture_opens_nothing_for_a_package_that_is_known(project: Traced) -> None:
    _changed(project)
    project.settle()
    _changed(project, change=1)
    few = counted(project, "capture")
    _fill(project, 60)
    time.sleep(2.1)  # younger files are not kept in the probe's cache
    project.settle()
    _changed(project, change=2)
    many = counted(project, "capture")
    # The probe and Git; Git once more for the trace that is kept of a capture without changes.
    assert 2 <= few["processes"] <= 3
    assert many["processes"] == few["processes"]
    assert abs(len(few["open"]) - len(many["open"])) <= 4


def test_the_probe_opens_its_cache_and_no_package(project: Traced, tmp_path_factory: Any) -> None:
    _fill(project, 20)
    time.sleep(2.1)
    cache = str(tmp_path_factory.mktemp("cache"))
    assert _opened(project, cache) > 60
    # Nor is what an install from a file says of its origin kept: it can hold a token.
    assert _opened(project, cache) <= 8


def test_a_view_costs_a_few_files(project: Traced) -> None:
    opened = []
    for views in (1, 21):
        _changed(project, views)
        project.capture()
        time.sleep(TICK_S)
        _changed(project, views, change=1)
        opened.append(len(counted(project, "capture")["open"]))
    # It is read, to predict from and to compare with, and looked at once it is written.
    assert opened[1] - opened[0] <= 20 * 6


@pytest.mark.parametrize("words", [["capture"], ["check"], ["run", "--view", "train", "true"]])
def test_nothing_heavy_is_loaded(project: Traced, words: Sequence[str]) -> None:
    _changed(project)
    project.capture()
    _changed(project, change=1)
    loaded = {name.partition(".")[0] for name in counted(project, *words)["modules"]}
    # The configuration has changed, and YAML is what it is written in.
    assert loaded & HEAVY <= {"yaml"}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["capture", "--help"]])
def test_help_loads_what_it_prints(project: Traced, words: Sequence[str]) -> None:
    loaded = set(counted(project, *words)["modules"])
    ours = {name for name in loaded if name.startswith("envstage.")}
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    if words[0] != "capture":
        assert ours <= {"envstage.cli", "envstage.errors"}


def _opened(project: Traced, cache: str) -> int:
    text = (
        "import sys\nfrom envstage.probe.distributions import installed\n"
        "import json, hashlib, csv\nopened = []\n"
        "sys.addaudithook(lambda event, what: event == 'open' and opened.append(what[0]))\n"
        f"installed([{str(project.venv.site)!r}], {cache!r}, [])\n"
        f"print(sum(str(each).startswith(({str(project.venv.site)!r}, {cache!r}))"
        " and '.json.' not in str(each) for each in opened))\n"
    )
    argv = [sys.executable, "-c", text]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return int(done.stdout)
