"""Build an environment by a plan. A folder that is not finished says so, or is not there."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Final

from envstage.errors import EnvstageError
from envstage.recreate.conda import META
from envstage.recreate.failures import BuildError, failure
from envstage.recreate.installer import Installer
from envstage.recreate.interpreters import Interpreter
from envstage.recreate.plan import Clone, Folder, Plan
from envstage.recreate.process import Progress, run

# In the folder from the first moment until everything in it was compared. An environment cannot be
# built elsewhere and moved: its scripts carry its path.
MARKER: Final = "UNFINISHED-envstage-recreate.txt"
_MARKED: Final = (
    "envstage recreate was building here and did not end. This environment is incomplete.\n"
    "Run the command again, or delete the folder.\n"
)
_LIST: Final = "requirements-recreate.txt"
SOURCES: Final = "src"


def python_of(folder: str) -> str:
    """The interpreter of an environment."""
    if os.name != "nt":
        return os.path.join(folder, "bin", "python")
    inner = () if os.path.isdir(os.path.join(folder, META)) else ("Scripts",)
    return os.path.join(folder, *inner, "python.exe")


@contextlib.contextmanager
def unfinished(folder: str) -> Iterator[None]:
    """A folder to build in: marked until the end; removed where the end is not reached.

    Raises:
        EnvstageError: something that is not ours is there.
    """
    marker = os.path.join(folder, MARKER)
    if os.path.lexists(folder) and not _is_free(folder):
        raise EnvstageError(
            "is there already and not empty",
            where=folder,
            fix="Name another folder with --to, or delete it",
        )
    try:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with open(marker, "w", encoding="utf-8") as file:
            file.write(_MARKED)
    except OSError as error:
        raise EnvstageError(f"cannot be made: {error.strerror}", where=folder) from None
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def finish(folder: str) -> None:
    """Take the mark away: the environment is what its snapshot says."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, MARKER))


def discard(folder: str) -> None:
    """Remove what was built."""
    shutil.rmtree(folder, ignore_errors=True)


def _is_free(folder: str) -> bool:
    if not os.path.isdir(folder):
        return False
    names = os.listdir(folder)
    return not names or MARKER in names


def make(installer: Installer, interpreter: Interpreter, folder: str, progress: Progress) -> None:
    """Make an environment with nothing in it; `BuildError` where that fails."""
    done = installer.make(interpreter.path, folder, progress)
    if done.returncode:
        raise failure(done, ())


def fill(installer: Installer, folder: str, todo: Plan, progress: Progress) -> None:
    """Install into an environment what a plan says.

    Raises:
        BuildError: which package, and why.
    """
    python = python_of(folder)
    _install_lines(installer, python, folder, todo, progress)
    for each in todo.folders:
        _install_folder(installer, python, each, progress)
    for clone in todo.clones:
        path = _cloned(installer, folder, clone, progress)
        _install_folder(
            installer, python, Folder(name=clone.name, path=path, is_editable=True), progress
        )


def _install_lines(
    installer: Installer, python: str, folder: str, todo: Plan, progress: Progress
) -> None:
    if not todo.lines:
        return
    path = os.path.join(folder, _LIST)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line.text}\n" for line in todo.lines)
    done = installer.install(python, ("-r", path), progress)
    os.unlink(path)
    if done.returncode:
        raise failure(done, [line.name for line in todo.lines])


def _install_folder(installer: Installer, python: str, each: Folder, progress: Progress) -> None:
    what = ("-e", each.path) if each.is_editable else (each.path,)
    done = installer.install(python, what, progress)
    if done.returncode:
        raise failure(done, [each.name])


def _cloned(installer: Installer, folder: str, clone: Clone, progress: Progress) -> str:
    path = os.path.join(folder, SOURCES, clone.name)
    environ = {**installer.environ, "GIT_TERMINAL_PROMPT": "0"}
    steps = [
        ["git", "clone", "--quiet", "--no-checkout", "--", clone.url, path],
        ["git", "-C", path, "checkout", "--quiet", "--detach", clone.commit],
    ]
    if clone.patch:
        steps.append(["git", "-C", path, "apply", "--whitespace=nowarn", "--", clone.patch])
    for argv in steps:
        try:
            done = run(argv, environ=environ, progress=progress)
        except OSError:
            raise BuildError("git is not installed", where=clone.name) from None
        if done.returncode:
            error = BuildError(
                f"commit {clone.commit} of its repository cannot be "
                f"{'edited as it was' if argv[3] == 'apply' else 'fetched'}: "
                f"{done.lines[-1] if done.lines else clone.url}",
                where=clone.name,
                fix="Ask whoever has the repository to push that commit",
            )
            error.lacking = (clone.name,)
            raise error
    return os.path.join(path, *(clone.subdirectory or "").split("/"))
