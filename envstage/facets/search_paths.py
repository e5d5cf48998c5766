"""What a search path brings: its entries, without saying where on this machine they are.

An entry inside the project is written relative to it (the stage's deps track what is in it); one
outside becomes a digest of what it makes importable or loadable, so that another user's copy of
the same modules is the same, and an edited one is not.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from envstage.world import World

FILES_HASHED_AT_MOST: Final = 5_000
# About a second: what is named `/` or `/data` by mistake must not hold up a capture.
FILES_LISTED_AT_MOST: Final = 30_000
FILE_HASHED_AT_MOST_BYTES: Final = 16 * 1024 * 1024

_IMPORTABLE: Final = (".py", ".so", ".pyd", ".pyc")
# Come from the driver's packages and change with it: `hardware.gpu.driver` stands for them.
_OF_THE_DRIVER: Final = (
    "libcuda.so",
    "libcudadebugger.so",
    "libnvcuvid.so",
    "libnvidia-",
    "libnvoptix.so",
    "libvdpau_nvidia.so",
    "libEGL_nvidia.so",
    "libGLX_nvidia.so",
    "libGLESv1_CM_nvidia.so",
    "libGLESv2_nvidia.so",
)


class TooMuch(Exception):
    """An entry holds more files than can be looked at in a capture."""


def modules(world: World, root: str, value: str) -> tuple[str, ...]:
    """The entries of a `PYTHONPATH`. Raises: `TooMuch`."""
    return _entries(world, root, value.split(_separator(world)), _importable)


def libraries(world: World, root: str, value: str) -> tuple[str, ...]:
    """The entries of a loader's path or preload list. Raises: `TooMuch`."""
    marks = ";" if world.platform == "win32" else ":; \t\n"
    for mark in marks[1:]:
        value = value.replace(mark, marks[0])
    return _entries(world, root, value.split(marks[0]), _loadable)


def inside(world: World, root: str, path: str) -> str | None:
    """An absolute path made relative to the project, with `/`; `None` where it is outside."""
    return _within(_real(world, path), _real(world, root)) if os.path.isabs(path) else None


def _separator(world: World) -> str:
    return ";" if world.platform == "win32" else ":"


def _entries(
    world: World, root: str, entries: list[str], brings: Callable[[World, str, str], str | None]
) -> tuple[str, ...]:
    """The entries in their order, each once; those that bring nothing are left out."""
    real_root = _real(world, root)
    own = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    kept: dict[str, None] = {}
    for entry in entries:
        if not entry.strip():
            continue
        path = _real(world, os.path.join(root, entry))
        if _within(path, own) is not None:
            continue  # the observer's hook
        relative = _within(path, real_root)
        if relative is not None:
            if world.exists(path):
                kept[relative] = None
            continue
        text = brings(world, path, real_root)
        if text is not None:
            digest = hashlib.sha256(text.encode("utf-8", "surrogateescape"))
            kept[f"sha256:{digest.hexdigest()}"] = None
    return tuple(kept)


def _real(world: World, path: str) -> str:
    try:
        return world.real_path(os.path.normpath(path))
    except OSError:
        return os.path.normpath(path)


def _within(path: str, folder: str) -> str | None:
    """The path relative to the folder, with `/`; `None` where it is not inside."""
    if path == folder:
        return "."
    start = folder.rstrip("/\\") + os.sep
    return path[len(start) :].replace(os.sep, "/") if path.startswith(start) else None


def _importable(world: World, path: str, real_root: str) -> str | None:
    """Names and contents of the modules under a folder, or of an archive."""
    walk = _Walk(world, real_root)
    try:
        walk.into(path, "")
    except NotADirectoryError:
        return _described(world, path, is_hashed=True)
    except OSError:
        return None
    is_hashed = len(walk.found) <= FILES_HASHED_AT_MOST
    lines = [
        f"{name}\0{_described(world, f'{path}/{name}', is_hashed=is_hashed)}"
        for name in sorted(walk.found)
    ]
    return "\n".join(lines) if lines else None


class _Walk:
    """The modules below a folder: files by their ending, in folders that are identifiers."""

    def __init__(self, world: World, real_root: str) -> None:
        self.world = world
        self.real_root = real_root
        self.found: list[str] = []
        self._looks = 0
        self._open: set[str] = set()

    def into(self, path: str, inside: str) -> None:
        """Collect what is in one folder and below. Raises: `OSError` for the folder itself."""
        self._looks += 1
        real = self.world.real_path(path)
        if real in self._open or real == self.real_root:
            return  # a link to a folder above, or the project, which the stage's deps track
        names = self.world.list_dir(path)
        self._open.add(real)
        known = set(names)
        self.found.extend(inside + name for name in names if _is_module(name, known))
        if max(len(self.found), self._looks) > FILES_LISTED_AT_MOST:
            raise TooMuch(f"more than {FILES_LISTED_AT_MOST:,} modules or folders")
        for name in names:
            if name.isidentifier() and name != "__pycache__":
                # Fails for a file without an ending; a folder that cannot be read is none to
                # Python either.
                with suppress(OSError):
                    self.into(f"{path}/{name}", f"{inside}{name}/")
        self._open.discard(real)


def _is_module(name: str, names: set[str]) -> bool:
    """Whether Python imports this file: bytecode only where its source is missing."""
    return name.endswith(_IMPORTABLE) and not (name.endswith(".pyc") and name[:-1] in names)


def _loadable(world: World, path: str, real_root: str) -> str | None:
    """Names and sizes of the libraries in a folder, or of the one library."""
    try:
        names = [name for name in world.list_dir(path) if _is_library(name)]
    except NotADirectoryError:
        name = os.path.basename(path)
        return f"{name}\0{_described(world, path, is_hashed=False)}"
    except OSError:
        return None
    lines = [f"{name}\0{_described(world, f'{path}/{name}', is_hashed=False)}" for name in names]
    return "\n".join(lines) if lines else None


def _is_library(name: str) -> bool:
    if name.startswith(_OF_THE_DRIVER):
        return False
    return name.endswith((".so", ".dylib", ".dll")) or ".so." in name


def _described(world: World, path: str, *, is_hashed: bool) -> str:
    """The digest of a file, or its size where it is large or one of very many."""
    try:
        size_bytes = world.size_bytes(path)
        if is_hashed and size_bytes <= FILE_HASHED_AT_MOST_BYTES:
            return hashlib.sha256(world.read(path)).hexdigest()
    except OSError:
        return "unreadable"
    return str(size_bytes)
