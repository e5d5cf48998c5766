"""Which files of a folder DVC leaves out of its digest: the patterns of .dvcignore.

As Git's: https://git-scm.com/docs/gitignore. DVC's own folders never count.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, NamedTuple

_NEVER: Final = frozenset({".dvc", ".git", ".hg"})
_FILE: Final = ".dvcignore"
_LIMIT_BYTES: Final = 1024 * 1024


class _Rule(NamedTuple):
    pattern: "re.Pattern[str]"
    is_negative: bool
    of_folders: bool


def ignored_by_dvc(root: str) -> Callable[[str], bool]:
    """Whether DVC leaves out a path below the project (absolute; a folder's ends with `/`)."""
    top = _repository(root)
    rules_in = cache(_rules)

    def is_ignored(path: str) -> bool:
        is_folder = path.endswith(os.sep)
        path = path.rstrip(os.sep)
        if os.path.basename(path) in _NEVER:
            return True
        found = False
        for folder in _folders(top, os.path.dirname(path)):
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            for rule in rules_in(folder):
                if (is_folder or not rule.of_folders) and rule.pattern.fullmatch(relative):
                    found = not rule.is_negative
        return found

    return is_ignored


def _repository(root: str) -> str:
    """The folder that holds `.dvc`, at or above the project; the project where none does."""
    folder = os.path.abspath(root)
    while not os.path.isdir(os.path.join(folder, ".dvc")):
        above = os.path.dirname(folder)
        if above == folder:
            return os.path.abspath(root)
        folder = above
    return folder


def _folders(top: str, folder: str) -> Iterator[str]:
    """The folders from the repository's down to one, whose patterns apply there."""
    relative = os.path.relpath(os.path.abspath(folder), top)
    yield top
    place = top
    for part in relative.split(os.sep) if relative not in (".", "") else ():
        if part == os.pardir:  # outside of the repository
            return
        place = os.path.join(place, part)
        yield place


def _rules(folder: str) -> tuple[_Rule, ...]:
    try:
        with open(os.path.join(folder, _FILE), encoding="utf-8", errors="replace") as file:
            lines = file.read(_LIMIT_BYTES).splitlines()
    except OSError:
        return ()
    return tuple(_rule(line.rstrip()) for line in lines if line.strip() and line[0] != "#")


def _rule(line: str) -> _Rule:
    is_negative = line.startswith("!")
    text = line.removeprefix("!").removeprefix("\\")
    of_folders = text.endswith("/")
    text = text.rstrip("/")
    start = "" if "/" in text else "(?:.*/)?"
    pattern = re.compile(start + _expression(text.removeprefix("/")))
    return _Rule(pattern, is_negative, of_folders)


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*\*/|/\*\*$|\*|\?|\[[^\]]+\])", pattern)
    meanings = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    return "".join(
        meanings.get(part)
        or (part.replace("[!", "[^", 1) if part.startswith("[") else re.escape(part))
        for part in parts
    )
