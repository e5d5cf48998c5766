"""When a capture fails as a pipeline's stage, the views that stages depend on are set aside.

DVC keeps a persistent out when its stage fails, and under `repro --ignore-errors` the stages
behind it then "didn't change": on a snapshot that nobody could confirm. A view that is not
there cannot pass as up to date. Nothing is lost: the next capture that succeeds puts the same
file back, with its time, and it is in Git. What nobody can catch is left: a capture that is
killed by SIGKILL under `--ignore-errors`.

Snakemake deletes a job's outputs before the job runs, and again if it fails: what was there is
kept as well, and comes back in the same way.
"""

import contextlib
import os
from typing import Final

from envstage import layout
from envstage.project import Project
from envstage.snapshot.files import write
from envstage.world import World

_FOLDER: Final = "set-aside"
_BESIDE: Final = ".set-aside"
_COPIES: Final = "copies"
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
    copy = _copy(project, view)
    if os.path.exists(copy) and not os.path.exists(path):
        _copy_file(copy, path)


def keep_copy(project: Project, view: str) -> None:
    """Keep what a view is now, for `put_back`; its time counts as a change, too."""
    path, copy = project.path(view), _copy(project, view)
    now, then = _state(path), _state(copy)
    if now is not None and now != then:
        _copy_file(path, copy)


def _copy(project: Project, view: str) -> str:
    return os.path.join(project.state, _COPIES, *view.split("/"))


def _state(path: str) -> tuple[int, bytes] | None:
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns, file.read()
    except OSError:
        return None


def _copy_file(source: str, target: str) -> None:
    with open(source, "rb") as file:
        content = file.read()
    stat = os.stat(source)
    write(target, content)
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))


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
