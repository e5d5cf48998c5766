"""The programs that build environments, where they are on this machine: uv, pip, conda's."""

import os
import re
import sys
from collections.abc import Iterator
from typing import Final

from envstage.world import TimedOut, World

_TIMEOUT_S: Final = 60
# The first pip that installs into another interpreter's environment (`--python`).
_PIP_AT_LEAST: Final = (22, 3)
_PIP_VERSION: Final = re.compile(rb"pip (\d+)\.(\d+)")
# micromamba first: it is one file and needs no environment of its own.
_CONDAS: Final = ("micromamba", "mamba", "conda")
# What their installers set, for shells in which they are a function and not on PATH.
_CONDA_VARIABLES: Final = ("MAMBA_EXE", "CONDA_EXE")


def find_uv(world: World) -> str | None:
    """uv beside this interpreter, of the package `uv`, or on PATH; one that answers."""
    return next((each for each in _uvs(world) if _answers(world, each)), None)


def find_pip(world: World) -> tuple[str, ...] | None:
    """The words that start a pip which can install into other environments.

    This interpreter's own, else that of one on PATH, else the one that this interpreter's
    standard library carries to bootstrap others.
    """
    pythons = [each for each in (sys.executable, *map(world.which, ("python3", "python"))) if each]
    candidates: list[tuple[str, ...]] = [(each, "-m", "pip") for each in dict.fromkeys(pythons)]
    candidates += [(sys.executable, os.path.join(wheel, "pip")) for wheel in _bundled(world)]
    return next((each for each in candidates if _is_new_enough(world, each)), None)


def find_conda(world: World) -> str | None:
    """micromamba, mamba or conda: on PATH, or where its installer says."""
    for name in _CONDAS:
        path = world.which(name)
        if path is not None and _answers(world, path):
            return path
    named = (world.environ.get(each, "") for each in _CONDA_VARIABLES)
    return next((each for each in named if each and _answers(world, each)), None)


def _uvs(world: World) -> Iterator[str]:
    beside = os.path.join(
        os.path.dirname(sys.executable), "uv.exe" if world.platform == "win32" else "uv"
    )
    if world.exists(beside):
        yield beside
    try:
        import uv

        yield uv.find_uv_bin()
    except (ImportError, FileNotFoundError):
        pass
    on_path = world.which("uv")
    if on_path is not None:
        yield on_path


def _bundled(world: World) -> Iterator[str]:
    import sysconfig

    standard = os.path.join(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")
    # Debian keeps these wheels elsewhere.
    folders = (standard, str(sysconfig.get_config_var("WHEEL_PKG_DIR") or ""))
    for folder in (*folders, "/usr/share/python-wheels"):
        try:
            names = world.list_dir(folder) if folder else ()
        except OSError:
            continue
        yield from (os.path.join(folder, name) for name in names if name.startswith("pip-"))


def _answers(world: World, path: str) -> bool:
    """Whether a program starts: a shim may stand for one that is not installed."""
    try:
        return world.run((path, "--version"), timeout_s=_TIMEOUT_S).returncode == 0
    except (OSError, TimedOut):
        return False


def _is_new_enough(world: World, pip: tuple[str, ...]) -> bool:
    try:
        done = world.run((*pip, "--version"), timeout_s=_TIMEOUT_S)
    except (OSError, TimedOut):
        return False
    match = _PIP_VERSION.match(done.stdout)
    return match is not None and (int(match[1]), int(match[2])) >= _PIP_AT_LEAST
