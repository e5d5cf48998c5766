"""Whose folder a distribution lies in: an environment may see more than its own (case 38)."""

import os
from typing import Final

from envstage.facets.contract import ProbeAnswer
from envstage.world import World

ENVIRONMENT: Final = "environment"
INTERPRETER: Final = "base interpreter"
USER: Final = "user"
ELSEWHERE: Final = "elsewhere"


def location_of(world: World, answer: ProbeAnswer, folder: str) -> str:
    """A word for the folder, no path: it is the same on every machine."""
    if _is_in(folder, answer.prefix):
        return ENVIRONMENT
    home = world.environ.get("HOME", "")
    user = world.environ.get("PYTHONUSERBASE") or (os.path.join(home, ".local") if home else "")
    if user and _is_in(folder, user):
        return USER
    return INTERPRETER if _is_in(folder, answer.base_prefix) else ELSEWHERE


def _is_in(folder: str, outer: str) -> bool:
    return folder == outer or folder.startswith(outer.rstrip("/\\") + os.sep)
