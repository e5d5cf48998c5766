"""When a capture fails as a pipeline's stage, the views that stages depend on are set aside.

DVC keeps a persistent out when its stage fails, and under `repro --ignore-errors` the stages
behind it then "didn't change": on a snapshot that nobody could confirm. A view that is not
there cannot pass as up to date. Nothing is lost: the next capture that succeeds puts the same
file back, with its time, and it is in Git. What nobody can catch is left: a capture that is
killed by SIGKILL under `--ignore-errors`.
"""

import contextlib
import os
from typing import Final

from envstage import layout
from envstage.project import Project
from envstage.world import World

_FOLDER: Final = "set-aside"
_BESIDE: Final = ".set-aside"
# DVC sets it for a stage's command: by hand nothing is moved.
_STAGE_VARIABLE: Final = "DVC_STAGE"


def is_stage(world: World) -> bool:
    """Whether this process is the command of a DVC stage."""
    return bool(world.environ.get(_STAGE_VARIABLE))


def set_aside(root: str) -> tuple[str, ...]:
    """Move every view below `environment/` into the state folder; says which (relative paths)."""
    moved = []
    for view in _views(root):
        path = os.path.join(root, *view.split("/"))
        for kept in _places(root, view):
            with contextlib.suppress(OSError):
                os.makedirs(os.path.dirname(kept), exist_ok=True)
                os.replace(path, kept)
                moved.append(view)
                break
    return tuple(moved)


def put_back(project: Project, view: str) -> None:
    """Put a view back where it was set aside from, if it is not there."""
    path = project.path(view)
    for kept in _places(project.root, view):
        with contextlib.suppress(OSError):
            if os.path.exists(kept) and not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.replace(kept, path)


def _places(root: str, view: str) -> tuple[str, ...]:
    """Where a view is kept: in the state folder, or beside it (a full or another disk)."""
    parts = view.split("/")
    return (
        os.path.join(root, layout.STATE_FOLDER, _FOLDER, *parts),
        os.path.join(root, *parts) + _BESIDE,
    )


def _views(root: str) -> list[str]:
    found = []
    for base, _, names in os.walk(os.path.join(root, layout.FOLDER)):
        if os.path.basename(base) == layout.VIEWS:
            inner = os.path.relpath(base, root).replace(os.sep, "/")
            found += [f"{inner}/{name}" for name in names if name.endswith(".json")]
    return sorted(found)
