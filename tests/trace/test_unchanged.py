"""A trace holds while nothing changed, and for not one change more."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envstage.capture import recording, tracing
from envstage.capture.predict import predicted
from envstage.project import open_project
from envstage.trace import document, questions, verify
from envstage.world import Machine
from tests.trace.conftest import TICK_S, Traced, edit_in_place

pytestmark = pytest.mark.e2e
Change = Callable[[Traced], object]


def _archived(project: Traced) -> None:
    view = (project.root / "environment/views/train.json").read_text()
    project.write(
        ".envstage/archive/main/train/1.json",
        f'{{"doubts": [], "inputs": {{"train.py": "sha256:0"}}, "reasons": {{}}, "view": {view}}}',
    )


def _other_python(project: Traced) -> None:
    folder = project.root.parent / "first"
    folder.mkdir()
    shutil.copy(shutil.which("true") or "/bin/true", folder / "python")
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


CHANGES: dict[str, Change] = {
    "package installed": lambda it: it.install("beta", "1.0"),
    "package upgraded": lambda it: it.install("alpha", "1.1"),
    "RECORD edited in place, its time put back": lambda it: edit_in_place(
        it.venv.site / "alpha-1.0.dist-info/RECORD", "sha256", "sha265"
    ),
    "METADATA edited in place, its time put back": lambda it: edit_in_place(
        it.venv.site / "alpha-1.0.dist-info/METADATA", "1.0", "9.0"
    ),
    "direct_url.json edited in place": lambda it: edit_in_place(
        it.venv.site / "gamma-1.0.dist-info/direct_url.json", "gamma", "gamme"
    ),
    "path file": lambda it: (it.venv.site / "more.pth").write_text(str(it.root)),
    "file added to a dist-info": lambda it: (
        it.venv.site / "alpha-1.0.dist-info/entry_points.txt"
    ).write_text("[console_scripts]\n"),
    "variable set": lambda it: os.environ.update(OMP_SCHEDULE="static"),
    "variable emptied": lambda it: os.environ.update(CUBLAS_WORKSPACE_CONFIG=""),
    "another python first on PATH": _other_python,
    "import path": lambda it: os.environ.update(PYTHONPATH=str(it.root)),
    "mode": lambda it: os.environ.update(ENVSTAGE_MODE="hold"),
    "configuration": lambda it: it.write("envstage.yaml", "views:\n  train: {}\n  eval: {}\n"),
    "parameters": lambda it: it.write("params.yaml", "lr: 0.1\n"),
    "view deleted": lambda it: (it.root / "environment/views/train.json").unlink(),
    "view edited in place": lambda it: edit_in_place(
        it.root / "environment/views/train.json", "alpha", "alpho"
    ),
    "view nobody knows": lambda it: it.write("environment/views/lost.json", "{}"),
    "snapshot edited": lambda it: it.write("environment/environment.json", "{}"),
    "summary deleted": lambda it: (it.root / "environment/summary.json").unlink(),
    "facet added": lambda it: it.write("environment/facets/old.json", "{}"),
    "context deleted": lambda it: (it.root / "environment/context.json").unlink(),
    "commit": lambda it: it.git("commit", "-q", "--allow-empty", "-m", "next"),
    "code edited": lambda it: it.write("train.py", "import alpha, os\n"),
    "lock file": lambda it: it.write("uv.lock", "version = 1\n"),
    "earlier run": _archived,
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_ends_a_trace(project: Traced, change: str) -> None:
    CHANGES[change](project)
    time.sleep(TICK_S)
    assert not project.is_unchanged()


def test_what_happened_in_between_and_was_taken_back_is_found_to_be_nothing(
    project: Traced,
) -> None:
    before = _files(project)
    os.environ["OMP_SCHEDULE"] = "static"
    assert not project.is_unchanged()
    del os.environ["OMP_SCHEDULE"]
    assert project.is_unchanged()
    assert _files(project) == before


def test_a_capture_that_only_asks_says_the_same_and_touches_nothing(
    project: Traced, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(document.cache_folder(os.environ))
    capsys.readouterr()
    project.capture()
    said = capsys.readouterr()
    before = _files(project)
    monkeypatch.setattr("envstage.cli.capture_command.run", lambda _: pytest.fail("captured"))
    assert project.capture() == 0
    assert capsys.readouterr() == said
    assert _files(project) == before


def test_the_code_of_the_project_is_no_matter_of_the_views(project: Traced) -> None:
    project.write("train.py", "import alpha, os\n")
    assert not project.is_unchanged()
    assert project.has_current_views()
    project.install("alpha", "1.1")
    assert not project.has_current_views()


def test_a_folder_below_finds_the_trace_and_another_project_does_not(project: Traced) -> None:
    (project.root / "code/deep").mkdir(parents=True)
    project.settle()
    assert verify.unchanged(str(project.root / "code/deep"), os.environ) is not None
    for mark in ("envstage.yaml", "params.yaml", ".envstage", ".dvc", ".git"):
        (project.root / "code" / mark).mkdir()
        assert verify.unchanged(str(project.root / "code/deep"), os.environ) is None, mark
        (project.root / "code" / mark).rmdir()


def test_below_snakemake_the_variables_are_not_those_of_the_machine(project: Traced) -> None:
    os.environ["ENVSTAGE_SNAKEMAKE"] = "{}"
    assert not project.is_unchanged()


def test_a_trace_without_a_part_for_views_vouches_for_none(tmp_path: Path) -> None:
    path = str(tmp_path / "one")
    document.save(path, document.Trace("", [(verify.EXISTS, "/", "True")]))
    assert not verify.views_hold(path, "/", os.environ)
    document.save(path, document.Trace("", [(verify.EXISTS, "/", "True"), (verify.PART, "", "")]))
    assert verify.views_hold(path, "/", os.environ)


def test_an_input_of_an_earlier_run_counts(project: Traced) -> None:
    _archived(project)
    project.settle()
    project.write("train.py", "import alpha, os\n")
    assert not project.has_current_views()


@pytest.mark.parametrize("text", ["", "garbage", "envstage trace 1\0\0\0", "\0" * 50])
def test_a_trace_that_is_no_trace_is_none(project: Traced, text: str) -> None:
    _trace(project).write_text(text)
    assert not project.is_unchanged()
    assert project.capture() == 0
    assert project.is_unchanged()


def test_a_torn_trace_is_none(project: Traced) -> None:
    content = _trace(project).read_bytes()
    for size in range(0, len(content), 97):
        _trace(project).write_bytes(content[:size])
        assert not project.is_unchanged()


def test_a_trace_of_which_a_bit_flipped_is_none(project: Traced) -> None:
    content = _trace(project).read_bytes()
    for place in range(0, len(content), 101):
        flipped = bytes([content[place] ^ 4])
        _trace(project).write_bytes(content[:place] + flipped + content[place + 1 :])
        assert not project.is_unchanged()


def test_a_trace_of_another_user_is_none(project: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert not project.is_unchanged()


def test_a_text_that_the_locale_cannot_write_leaves_no_trace_and_no_traceback(
    tmp_path: Path,
) -> None:
    document.save(str(tmp_path / "one"), document.Trace("", [(verify.SAY, "\ud800", "")]))
    assert not any(tmp_path.iterdir())


def test_another_release_or_an_edited_one_begins_anew(
    project: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "__version__", "99.0")
    assert not project.is_unchanged()


def test_files_that_are_too_young_are_not_built_on(
    project: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "SETTLED_NS", 10**12)
    assert not project.is_unchanged()
    project.capture()
    assert not _trace(project).exists()


@pytest.mark.parametrize(
    "setting", ["verify: true\n", "tools: [git]\n"], ids=lambda text: str(text).split(":")[0]
)
def test_what_cannot_be_asked_again_cheaply_leaves_no_trace(project: Traced, setting: str) -> None:
    project.write("envstage.yaml", f"{setting}views:\n  train: {{}}\n")
    time.sleep(TICK_S)
    project.capture()
    project.capture()
    assert not _trace(project).exists()


def test_a_program_that_hangs_costs_its_time_and_no_truth(
    project: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "TIMEOUT_S", 0.0)
    assert not project.is_unchanged()


def test_no_value_of_a_variable_is_in_a_trace(project: Traced) -> None:
    os.environ["WANDB_API_KEY"] = os.environ["OMP_SCHEDULE"] = "s3cr3t-value"
    project.settle()
    content = _trace(project).read_bytes()
    assert b"OMP_SCHEDULE" in content
    assert b"s3cr3t" not in content
    assert _trace(project).stat().st_mode & 0o77 == 0


def test_nothing_that_a_capture_reads_is_missing_from_its_trace(project: Traced) -> None:
    """An audit hook hears of every file that is opened and every folder that is listed."""
    project.write("requirements.txt", "alpha\n")
    _archived(project)
    project.settle()
    script = (
        "import os, sys\n"
        "heard = set()\n"
        "def hook(event, arguments):\n"
        "    if event in ('open', 'os.listdir', 'os.scandir') and arguments[0]:\n"
        "        if not isinstance(arguments[0], int):\n"
        "            heard.add(os.path.abspath(os.fsdecode(arguments[0])))\n"
        "from types import SimpleNamespace\n"
        "from envstage import interpreter\n"
        "from envstage.cli import capture_command\n"
        "from envstage.trace import questions\n"
        "questions.SETTLED_NS = interpreter.SETTLED_NS = 0\n"
        "capture_command.run(SimpleNamespace(**capture_command.DEFAULTS))\n"
        "sys.addaudithook(hook)\n"  # everything is imported by now
        "capture_command.run(SimpleNamespace(**capture_command.DEFAULTS))\n"
        "print(*sorted(heard), sep='\\n', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=project.root
    )
    found = verify.find(str(project.root), os.environ)
    assert found is not None
    asked = {subject for _, subject, _ in found[1].questions}
    own = (f"{project.root}/.envstage/", f"{project.root}/environment/context.json", "/dev/null")
    package = str(Path(document.__file__).parents[1])
    archive = f"{project.root}/.envstage/archive/"
    missing = [
        path
        for path in done.stderr.splitlines()
        if path.startswith("/")
        and path not in asked
        and not path.startswith((*own, document.cache_folder(os.environ), package))
    ]
    assert missing == []
    assert any(path.startswith(archive) for path in asked)


def test_a_capture_that_finds_nothing_imports_next_to_nothing(project: Traced) -> None:
    script = (
        f"import os, sys; sys.path[:] = {sys.path!r}; before = set(sys.modules)\n"
        "import envstage.trace.questions as questions; questions.SETTLED_NS = 0\n"
        "from envstage.cli import main\n"
        "assert main(['capture']) == 0\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        capture_output=True, text=True, check=True, cwd=project.root,
    )  # fmt: skip
    loaded = set(done.stderr.splitlines()[-1].split())
    ours = {name for name in loaded if name.partition(".")[0] == "envstage"}
    assert ours == {
        *("envstage", "envstage.cli", "envstage.errors", "envstage.trace"),
        *(f"envstage.trace.{name}" for name in ("document", "programs", "questions", "verify")),
    }
    assert loaded - ours <= {"_blake2", "select"}


def _trace(project: Traced) -> Path:
    cache = document.cache_folder(os.environ)
    return Path(document.path_of(cache, str(project.root)))


def _files(project: Traced) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in (project.root / "environment").rglob("*")
        if path.is_file()
    }


def test_a_workflow_is_decided_by_a_trace_of_its_own(project: Traced) -> None:
    """Snakemake's main process looks at the views; it never runs the whole capture."""
    shutil.rmtree(document.cache_folder(os.environ))
    opened = open_project(str(project.root))
    assert not project.has_current_views()
    seen = predicted(Machine(), opened, "main")
    assert project.has_current_views()
    assert predicted(Machine(), opened, "main") == seen
    project.install("alpha", "1.1")
    time.sleep(TICK_S)
    assert not project.has_current_views()
    assert predicted(Machine(), opened, "main") != seen
    assert not project.has_current_views()


def test_where_programs_cannot_be_spawned_every_capture_is_a_whole_one(
    project: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has neither `posix_spawn` nor `uname` nor `geteuid`."""
    _trace(project).unlink()
    for module in (verify, tracing, recording):
        monkeypatch.setattr(module, "IS_POSSIBLE", False)
    assert project.capture() == 0
    assert not _trace(project).exists()
    assert not project.is_unchanged()
    monkeypatch.delattr(os, "uname")
    assert questions.machine()


def test_a_locale_without_characters_for_it_keeps_no_trace(tmp_path: Path) -> None:
    # Not UTF-8 (a cluster's): the next capture takes its usual time, and this one does not fail.
    code = (
        "import sys; from envstage.trace.document import Trace, load, save\n"
        "save(sys.argv[1], Trace('', [('say', 'image: name@sha256:\\u2026', '')]))\n"
        "print(load(sys.argv[1]) is None)\n"
    )
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "trace")],
        env=dict(os.environ) | plain,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
