"""The program must not notice the observer."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from tests.observer.observed import observed, plain_environ, script, unobserved

STATE = """
import os, sys
before = sorted(set(sys.modules) - {"atexit"})
with open(os.devnull) as file:
    first = file.fileno()
import warnings, threading, signal
print(sys.path, sys.argv, sys.flags, sys.warnoptions, before, first)
finders = [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path]
print([name for name in finders if name != "Finder"])
print(len(sys.path_hooks), sorted(sys.path_importer_cache), warnings.filters)
print([t.name for t in threading.enumerate()], [signal.getsignal(n) for n in (2, 15)])
print({k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "ENVSTAGE_OBSERVE")})
print(os._exit, globals().keys(), __name__, sys.gettrace(), sys.getprofile())
print(sys.excepthook.__name__)
try:
    import sitecustomize
except ImportError as error:
    print(error)
else:
    print(sitecustomize, sitecustomize.VALUE)
"""
USER_HOOK = "VALUE = 7\nprint('user hook', __name__, __file__)\n"


def same(argv: list[str], folder: Path, **environ: str) -> str:
    """Run with and without the observer, and expect the same to the byte."""
    plain = unobserved(argv, folder, environ)
    seen = observed(argv, folder, environ)
    assert (seen.returncode, seen.stdout, seen.stderr) == (
        plain.returncode,
        plain.stdout,
        plain.stderr,
    )
    assert seen.observation.doubts == ()
    return seen.stdout


@pytest.fixture
def state(tmp_path: Path) -> Path:
    text = STATE.replace("os._exit, ", "os._exit.__name__, os._exit.__module__, ")
    (tmp_path / "state.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["state.py", "a", "b"],
        ["-m", "state"],
        ["-B", "-O", "state.py"],
        ["-bb", "-W", "error", "state.py"],
    ],
    ids=["script", "module", "flags", "errors"],
)
def test_state_is_as_without_observer(state: Path, arguments: list[str]) -> None:
    seen = same([sys.executable, *arguments], state)
    # Debian's interpreter brings a `sitecustomize` of its own.
    has_own = importlib.util.find_spec("sitecustomize") is not None
    assert has_own or "No module named 'sitecustomize'" in seen


@pytest.mark.parametrize("value", ["", "lib", "lib:", ":lib", "lib::other", "lib:lib"])
def test_path_of_user_is_kept(state: Path, value: str) -> None:
    same([sys.executable, "state.py"], state, PYTHONPATH=value)


def test_old_pythons_run_the_program_unchanged(state: Path, python: str) -> None:
    same([python, "state.py"], state)


def test_hook_of_user_is_chained(state: Path) -> None:
    (state / "lib").mkdir()
    (state / "lib" / "sitecustomize.py").write_text(USER_HOOK)
    out = same([sys.executable, "state.py"], state, PYTHONPATH="lib")
    assert out.startswith("user hook sitecustomize")
    assert out.endswith(" 7\n")


@pytest.mark.parametrize(
    "text",
    ["raise ValueError('mine')", "import absent_dependency", "raise SystemExit(5)", "syntax error"],
)
def test_failing_hook_of_user_fails_the_same_way(state: Path, text: str) -> None:
    (state / "sitecustomize.py").write_text(text)
    plain = unobserved([sys.executable, "-c", "print(1)"], state, {"PYTHONPATH": str(state)})
    seen = observed([sys.executable, "-c", "print(1)"], state, {"PYTHONPATH": str(state)})
    assert (seen.returncode, seen.stdout) == (plain.returncode, plain.stdout)
    # The traceback of a fatal exit passes through the hook's last line.
    assert seen.stderr.splitlines()[-1:] == plain.stderr.splitlines()[-1:]


def test_imports_of_users_hook_are_seen(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("")
    seen = observed([sys.executable, "-c", ""], tmp_path, {"PYTHONPATH": str(tmp_path)})
    assert {os.path.basename(path) for path in seen.observation.files} >= {
        "sitecustomize.py",
        "helper.py",
    }


def test_bare_interpreter_uses_nothing(tmp_path: Path, python: str) -> None:
    seen = observed([python, "-c", ""], tmp_path).observation
    assert len(seen.processes) == 1
    assert (seen.files, seen.missing, seen.found, seen.metadata, seen.doubts) == (
        (),
        (),
        (),
        (),
        (),
    )


def test_without_report_folder_nothing_happens(tmp_path: Path) -> None:
    seen = observed([sys.executable, "-c", "print(2)"], tmp_path)
    assert seen.stdout == "2\n"
    environ = {"PYTHONPATH": plain_hook(), "ENVSTAGE_OBSERVE": str(tmp_path / "absent")}
    completed = unobserved([sys.executable, "-c", "print(2)"], tmp_path, environ)
    assert (completed.stdout, completed.stderr, completed.returncode) == ("2\n", "", 0)
    del environ["ENVSTAGE_OBSERVE"]
    completed = unobserved([sys.executable, "-c", "print(2)"], tmp_path, environ)
    assert (completed.stdout, completed.stderr, completed.returncode) == ("2\n", "", 0)


def plain_hook() -> str:
    """The hook's folder."""
    from envstage.observer.observation import HOOK

    return HOOK


def test_closed_descriptors_are_not_written_to(tmp_path: Path) -> None:
    text = """
import os
os.closerange(3, 2000)
kept = [os.open(f"mine{n}", os.O_CREAT | os.O_RDWR) for n in range(3)]
for number in range(1000, 1024):
    os.dup2(kept[0], number)
import late
print([os.fstat(k).st_size for k in kept])
"""
    (tmp_path / "late.py").write_text("")
    seen = script(tmp_path, text)
    assert seen.stdout == "[0, 0, 0]\n"
    assert seen.observation.doubts == ()
    assert any(path.endswith("late.py") for path in seen.observation.files)


def test_program_that_removes_the_finder_is_in_doubt(tmp_path: Path) -> None:
    seen = script(tmp_path, "import sys\nsys.meta_path[:] = sys.meta_path[1:]\n")
    assert "removed the finder" in seen.observation.doubts[0]


def test_envstage_does_not_become_importable(tmp_path: Path) -> None:
    text = "import sys; print([m for m in sys.modules if 'envstage' in m or 'observer' in m])"
    assert script(tmp_path, text).stdout == "[]\n"
    assert "PYTHONPATH" not in plain_environ()
