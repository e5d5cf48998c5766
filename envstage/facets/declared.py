"""What the project's own files ask for by name: who asked, where the installer does not tell.

pip marks what a person named (`REQUESTED`); uv marks everything that it installs
(https://github.com/astral-sh/uv/issues/13278), conda nothing.
"""

import os
import re
from typing import Final

from envstage.world import World

_FILES: Final = frozenset(
    "environment.yaml environment.yml Pipfile pixi.toml pyproject.toml setup.cfg setup.py".split()
)
_REQUIREMENTS: Final = re.compile(r"[\w.-]*requirements[\w.-]*\.(txt|in)")
_WORD: Final = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def declared_names(world: World, root: str) -> frozenset[str]:
    """Every word of those files as a PEP 503 name. Too many is the side to err on: they count."""
    names: set[str] = set()
    for name in _list(world, root):
        if name in _FILES or _REQUIREMENTS.fullmatch(name):
            try:
                text = world.read(os.path.join(root, name))
            except OSError:
                continue
            names |= {
                re.sub(r"[-_.]+", "-", word.decode("ascii")).lower() for word in _WORD.findall(text)
            }
    return frozenset(names)


def _list(world: World, root: str) -> tuple[str, ...]:
    try:
        return world.list_dir(root)
    except OSError:
        return ()
