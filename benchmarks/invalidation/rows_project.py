"""Rows: code, alone and together with the environment; and all that must not matter."""

import os
import shutil
from pathlib import Path
from typing import Final

from benchmarks.invalidation import stages
from benchmarks.invalidation.bench import UNSET, Bench
from benchmarks.invalidation.stages import ALL, ARRAYS, FRAMES, LEARN, NONE
from benchmarks.invalidation.table import Change, Row

_ONE: Final = frozenset({FRAMES})


def rows() -> tuple[Row, ...]:
    """Every row of this file."""
    return (*_code(), *_there_and_back(), *_repository(), *_user(), *_clones())


def _row(
    group: str,
    name: str,
    change: Change,
    should: frozenset[str],
    why: str,
    first: tuple[Change, ...] = (),
) -> Row:
    return Row(group=group, name=name, change=change, should=should, why=why, first=first)


def _code_of(stage: str, more: str) -> Change:
    """Put code before the rest of a stage's."""
    return lambda bench: bench.write(f"code/{stage}.py", stages.script(stage, more))


def _put(*names: str, version: str = "2.0") -> Change:
    return lambda bench: bench.put(*names, version=version)


def _both(*changes: Change) -> Change:
    def change(bench: Bench) -> None:
        for each in changes:
            each(bench)

    return change


def _code() -> tuple[Row, ...]:
    group = "code"
    more = _code_of(FRAMES, "import webthing\n")
    less = _code_of(FRAMES, "import webthing\nsys.modules['bottle'] = None\n")
    return (
        _row(group, "imports more", more, _ONE, "the code is a dep"),
        _row(group, "a comment", _code_of(FRAMES, "# why\n"), _ONE,
             "the code is a dep, and DVC takes it by its bytes"),
        _row(group, "imports more, and that was upgraded", _both(more, _put("webthing")), _ONE,
             "the code is a dep"),
        _row(group, "imports more; later that is upgraded", _put("webthing"), _ONE,
             "it is used since the code imports it", first=(more,)),
        _row(group, "imports more; later an unused one is upgraded", _put("linterish"), NONE,
             "neither code imports it", first=(more,)),
        _row(group, "imports less; later what it dropped is upgraded", _put("webthing"), NONE,
             "no code imports it any more", first=(more, _code_of(FRAMES, "# less\n"))),
        _row(group, "looks up less; later that appears", lambda bench: bench.put("bottle"), NONE,
             "the run no longer looks for it", first=(less,)),
        _row(group, "imports less, and what it dropped was upgraded",
             _both(_code_of(FRAMES, "# less\n"), _put("webthing")), _ONE, "the code is a dep",
             first=(more,)),
        _row(group, "new data", lambda bench: bench.write("data.csv", "c\nb\n"), ALL,
             "every stage reads it"),
        _row(group, "new data and an unused package", _both(
            lambda bench: bench.write("data.csv", "c\nb\n"), _put("webthing")), ALL,
             "every stage reads the data"),
        _row(group, "code of one, package of another", _both(
            _code_of(FRAMES, "# other\n"), _put("learnkit")), frozenset({FRAMES, LEARN}),
             "each for its own reason"),
    )  # fmt: skip


def _there_and_back() -> tuple[Row, ...]:
    group = "there and back"
    why = "its results for this environment are in the run cache"
    both = _put("arrays", "webthing")
    back = _put("arrays", version="1.0")
    return (
        _row(group, "used: 1.0, 2.0, 1.0", back, NONE, why, first=(_put("arrays"),)),
        _row(group, "used: back, with an unused one moved on", back, NONE, why, first=(both,)),
        _row(group, "used: 1.0, 2.0, 3.0, 2.0", _put("arrays"), NONE, why,
             first=(_put("arrays"), _put("arrays", version="3.0"))),
        _row(group, "used: 2.0 again, with another used one moved on",
             _both(_put("arrays"), _put("science")), frozenset({LEARN}),
             "one stage has never run with both",
             first=(_put("arrays"), back, _put("science"), _put("science", version="1.0"))),
        _row(group, "bottle appears, goes, appears", lambda bench: bench.put("bottle"), NONE, why,
             first=(lambda bench: bench.put("bottle"),
                    lambda bench: bench.venv.uninstall("bottle"))),
        _row(group, "code and back, with a used package moved on",
             _both(_code_of(FRAMES, ""), _put("arrays")), ARRAYS,
             "no stage has run with this one", first=(_code_of(FRAMES, "# other\n"),)),
    )  # fmt: skip


def _repository() -> tuple[Row, ...]:
    group = "the repository"
    why = "none of it acts on a result"

    def branch(bench: Bench) -> None:
        bench.run("git", "checkout", "-q", "-b", "other")
        bench.commit("nothing")

    def touched(bench: Bench) -> None:
        for base, _, names in os.walk(bench.root / "code"):
            for name in names:
                os.utime(Path(base) / name)

    def dirty(bench: Bench) -> None:
        bench.write("notes.txt", "not committed\n")
        bench.write("README.md", "changed and not committed\n")

    return (
        _row(group, "a commit", lambda bench: bench.commit("nothing"), NONE, why),
        _row(group, "another branch", branch, NONE, why),
        _row(group, "a dirty tree", dirty, NONE, why),
        _row(group, "files touched", touched, NONE, why),
        _row(group, "a tag", lambda bench: bench.run("git", "tag", "v1"), NONE, why),
    )  # fmt: skip


def _user() -> tuple[Row, ...]:
    group = "user and session"
    why = "none of it acts on a result"

    def set_(**variables: str) -> Change:
        return lambda bench: bench.set(**variables)

    def home(bench: Bench) -> None:
        bench.edit("other-home/.bashrc", "")
        bench.set(HOME=str(bench.base / "other-home"), USER="bob", LOGNAME="bob")

    def compiled(bench: Bench) -> None:
        bench.run("python", "-m", "compileall", "-q", str(bench.venv.site), code=None)

    def not_compiled(bench: Bench) -> None:
        for folder in list(bench.venv.folder.rglob("__pycache__")):
            shutil.rmtree(folder)
        bench.set(PYTHONDONTWRITEBYTECODE="1")

    def times(bench: Bench) -> None:
        for path in bench.venv.site.rglob("*.py"):
            os.utime(path, (0, 0))

    def umask(bench: Bench) -> None:
        bench.umask = "077"

    def more_path(bench: Bench) -> None:
        bench.set(PATH=bench.variables()["PATH"] + ":/opt/nothing/bin")

    return (
        _row(group, "another host name", set_(HOSTNAME="there"), NONE, why),
        _row(group, "another user and home", home, NONE, why),
        _row(group, "umask 077", umask, NONE, why),
        _row(group, "another locale", set_(LC_ALL="C", LANG="de_DE.UTF-8"), NONE,
             "locale counts only where it is watched"),
        _row(group, "another time zone", set_(TZ="Asia/Tokyo"), NONE,
             "the time zone counts only where it is watched"),
        _row(group, "another terminal", set_(TERM="xterm", COLUMNS="40", NO_COLOR="1"), NONE, why),
        _row(group, "no locale", set_(LC_ALL=UNSET), NONE,
             "locale counts only where it is watched"),
        _row(group, "a longer PATH", more_path, NONE, "`python` is the same"),
        _row(group, "caches gone", set_(XDG_CACHE_HOME="/nonexistent", ENVSTAGE_CACHE=""), NONE,
             why),
        _row(group, "bytecode compiled", compiled, NONE, "follows from the source"),
        _row(group, "bytecode removed", not_compiled, NONE, "follows from the source"),
        _row(group, "file times of the environment", times, NONE, "the files are the same"),
    )  # fmt: skip


def _clones() -> tuple[Row, ...]:
    group = "clones and modes"

    def clone(bench: Bench) -> None:
        bench.run("dvc", "remote", "add", "-f", "-d", "store", str(bench.base / "store"))
        bench.commit("a remote")
        bench.run("dvc", "push", "-q", "--run-cache")
        bench.move_to_clone()
        bench.run("dvc", "pull", "-q", "--run-cache")

    def hold(bench: Bench) -> None:
        bench.put("arrays", version="2.0")
        bench.set(ENVSTAGE_MODE="hold")

    return (
        _row(group, "a fresh clone elsewhere", clone, NONE, "the same commit, data and packages"),
        _row(group, "held, with a used package upgraded", hold, NONE,
             "ENVSTAGE_MODE=hold: a reader does not retrain"),
    )  # fmt: skip
