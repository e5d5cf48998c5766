"""The digest of a folder's importable files: for editable checkouts and PYTHONPATH entries."""

import hashlib
import os
from collections.abc import Iterator
from typing import Final

# What Python or its packages read at run time. A README, a test report or `.git` does not act.
_IDLE_FOLDERS: Final = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".dvc", ".tox", ".nox", ".venv", "venv", "build", "dist"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", "node_modules", ".eggs", ".ipynb_checkpoints"}
)
_ACTING: Final = (".py", ".so", ".pyd", ".dll", ".dylib", ".pyx", ".pth", ".json", ".yaml", ".yml")
_FILES_HASHED: Final = 5000


def tree_digest(folder: str, *, without: frozenset[str] = frozenset()) -> str:
    """sha256 over the names and contents of the files that can be imported from a folder.

    Args:
        without: folders at its top that do not act.

    Beyond 5,000 files the sizes stand for the contents.

    Raises:
        OSError: the folder or a file in it cannot be read.
    """
    files = sorted(_acting_files(folder, without))
    digest = hashlib.sha256()
    for index, name in enumerate(files):
        path = os.path.join(folder, name)
        if index < _FILES_HASHED:
            with open(path, "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
        else:
            content = str(os.stat(path).st_size)
        digest.update(f"{name}\0{content}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{digest.hexdigest()}"


def _acting_files(folder: str, without: frozenset[str]) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise error

    for base, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [
            each
            for each in folders
            if each not in _IDLE_FOLDERS
            and not (base == folder and each in without)
            and not each.endswith((".egg-info", ".dist-info"))
        ]
        inner = os.path.relpath(base, folder)
        for name in names:
            if name.endswith(_ACTING) or ".so." in name:
                yield (name if inner == "." else f"{inner}/{name}").replace(os.sep, "/")
