"""Rows: origins (Git, folders, editable installs), loose modules, installers, interpreters."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from benchmarks.invalidation import packages
from benchmarks.invalidation.bench import Bench
from benchmarks.invalidation.stages import (
    ARRAYS,
    FRAMES,
    LAB,
    LEARN,
    NONE,
    PYTHON,
)
from benchmarks.invalidation.table import Change, Row
from tests.wheels import interpreter

OTHER_PYTHON: Final = "3.12"


def rows() -> tuple[Row, ...]:
    """Every row of this file; that of another interpreter only where there is one."""
    return (*_git(), *_editable(), *_loose(), *_installers(), *_interpreters())


def _row(
    group: str,
    name: str,
    change: Change,
    should: frozenset[str],
    why: str,
    first: tuple[Change, ...] = (),
) -> Row:
    return Row(group=group, name=name, change=change, should=should, why=why, first=first)


def _repository(bench: Bench, *, code: str = "") -> Path:
    """`science` as a Git repository that builds itself; its files as in the wheel, plus `code`."""
    text = packages.module_text("science") + code
    folder = bench.base / "science.git"
    packages.project(folder, "science", {"science/__init__.py": text})
    _git_commit(folder)
    return folder


def _git_commit(folder: Path) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "work"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def _git() -> tuple[Row, ...]:
    group = "moved to a VCS origin"

    def from_git(bench: Bench, code: str = "") -> None:
        bench.venv.install_direct(f"science @ git+file://{_repository(bench, code=code)}")

    def readme(bench: Bench) -> None:
        folder = bench.base / "science.git"
        (folder / "README.md").write_text("other words\n")
        _git_commit(folder)
        bench.venv.install_direct(f"science @ git+file://{folder}")

    def from_folder(bench: Bench) -> None:
        text = packages.module_text("science")
        folder = packages.project(
            bench.base / "copy", "science", {"science/__init__.py": text}, source="lib"
        )
        bench.venv.install_direct(folder)

    return (
        _row(group, "science from Git, the same files", from_git, NONE, "code decides, not origin"),
        _row(group, "science from Git, other files", lambda bench: from_git(bench, "x = 1\n"),
             frozenset({LEARN}), "code decides, not origin"),
        _row(group, "science from Git, only its README moved on", readme, NONE,
             "another commit, the same files", first=(from_git,)),
        _row(group, "science from a folder, the same files", from_folder, NONE,
             "code decides, not origin"),
    )  # fmt: skip


def _editable() -> tuple[Row, ...]:
    group = "editable installs"
    moved = "the checkout's place is not its content"

    def move(bench: Bench) -> None:
        shutil.copytree(bench.lab, bench.base / "elsewhere" / "lab")
        bench.venv.install_direct("-e", bench.base / "elsewhere" / "lab")

    def new_own_version(bench: Bench) -> None:
        project = bench.root / "own" / "pyproject.toml"
        project.write_text(project.read_text().replace("1.0", "1.1"))
        backend = bench.root / "own" / "backend.py"
        backend.write_text(backend.read_text().replace("1.0", "1.1"))
        bench.venv.install_direct("-e", bench.root / "own")

    def edit(path: str, text: str) -> Change:
        return lambda bench: bench.edit(path, text)

    return (
        _row(group, "outside: a module that is used", edit("lab/src/labtools/core.py",
             "def answer():\n    return 43\n"), frozenset({LAB}), "the stage imports it"),
        _row(group, "outside: a new module", edit("lab/src/labtools/more.py", "value = 2\n"),
             frozenset({LAB}), "the package may list its own modules: its files count as one"),
        _row(group, "outside: README", edit("lab/README.md", "other words\n"), NONE,
             "nothing that can be imported"),
        _row(group, "outside: its tests", edit("lab/tests/test_core.py", "assert True\n"), NONE,
             "the install makes `src` importable, and tests lie beside it"),
        _row(group, "outside: bytecode and caches", edit("lab/src/labtools/__pycache__/x.pyc", ""),
             NONE, "follows from the source"),
        _row(group, "outside: a commit", lambda bench: _git_commit(bench.lab), NONE,
             "the same files"),
        _row(group, "outside: moved to another folder", move, NONE, moved),
        _row(group, "inside: a module that is a dep", edit("repo/own/src/owncode/__init__.py",
             "answer = 2\n"), frozenset({LAB}), "DVC tracks it, like all code of the repository"),
        _row(group, "inside: README", edit("repo/own/README.md", "other words\n"), NONE,
             "the repository's own, and no stage depends on it"),
        _row(group, "inside: its version", new_own_version, NONE,
             "the project's own code is tracked by deps; versions from Git move at each commit"),
    )  # fmt: skip


def _loose() -> tuple[Row, ...]:
    group = "PYTHONPATH"

    # A run imports hundreds of its modules; no view lists them.
    of_standard = "the standard library counts as one: what replaces a part of it replaces it"

    def loose(name: str) -> Change:
        return lambda bench: bench.module(name)

    def path(text: str) -> Change:
        return lambda bench: bench.set(PYTHONPATH=str(bench.base / text))

    def elsewhere(bench: Bench) -> None:
        bench.edit("other/place/joblike.py", "version = 'shadow'\n")
        bench.set(PYTHONPATH=str(bench.base / "other" / "place"))

    def edited(bench: Bench) -> None:
        bench.module("joblike", "version = 'another shadow'\n")

    return (
        _row(group, "a module that shadows arrays", loose("arrays"), ARRAYS,
             "what they import is another file now"),
        _row(group, "a module that shadows joblike", loose("joblike"), frozenset({LEARN}),
             "what it imports is another file now"),
        _row(group, "a module that shadows webthing", loose("webthing"), NONE,
             "nobody imports that name"),
        _row(group, "a module that shadows wave", loose("wave"), PYTHON, of_standard),
        _row(group, "a module that shadows colorsys", loose("colorsys"), PYTHON,
             of_standard),
        _row(group, "a module called bottle", loose("bottle"), frozenset({FRAMES}),
             "the name was looked up in vain"),
        _row(group, "a module that nobody looks up", loose("helpers_of_ada"), NONE,
             "nobody imports that name"),
        _row(group, "a folder that is not there", path("nowhere"), NONE, "it brings nothing"),
        _row(group, "the repository itself", path("repo"), NONE, "the project's own code"),
        _row(group, "the shadow moves to another folder", elsewhere, NONE, "the same file",
             first=(loose("joblike"),)),
        _row(group, "the shadow is edited", edited, frozenset({LEARN}),
             "what it imports is another file now", first=(loose("joblike"),)),
    )  # fmt: skip


def _installers() -> tuple[Row, ...]:
    group = "installers and envstage"

    def put(*names: str, version: str = "2.0") -> Change:
        return lambda bench: bench.put(*names, version=version)

    def upgrade_tool(bench: Bench) -> None:
        # Another release of envstage: the same code under another version, at another path.
        import envstage

        source = Path(envstage.__file__).parent
        tree = bench.base / "release"
        shutil.copytree(source, tree / "envstage", ignore=shutil.ignore_patterns("__pycache__"))
        init = tree / "envstage" / "__init__.py"
        text = init.read_text().replace(envstage.__version__, "99.0.0")
        assert "99.0.0" in text
        init.write_text(text)
        bench.use_release(tree)

    why = "installs, and computes nothing"
    return (
        _row(group, "pip upgraded", put("pip"), NONE, why),
        _row(group, "setuptools upgraded", put("setuptools"), NONE, why),
        _row(group, "uv upgraded", put("uv"), NONE, why),
        _row(group, "wheel removed", lambda bench: bench.venv.uninstall("wheel"), NONE, why),
        _row(group, "envstage appears in the environment", put("envstage", "encoderish"), NONE,
             "envstage and what only it needs keep out of their own pictures"),
        _row(group, "envstage upgraded in the environment", put("envstage", "encoderish"), NONE,
             "envstage keeps out of its own picture",
             first=(put("envstage", "encoderish", version="1.0"),)),
        _row(group, "envstage itself upgraded", upgrade_tool, NONE,
             "a release leaves committed views alone"),
    )  # fmt: skip


def _interpreters() -> tuple[Row, ...]:
    other = interpreter(OTHER_PYTHON)
    if other is None:
        return ()
    return (
        _row("interpreter", f"Python {OTHER_PYTHON}", lambda bench: bench.rebuild(python=other),
             PYTHON, "every Python stage runs under it, and `sort` does not"),
    )  # fmt: skip
