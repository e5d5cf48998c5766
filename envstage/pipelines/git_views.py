"""Every version of a view that is left: on disk, kept in the state folder, in Git's history."""

import os
from collections.abc import Iterator
from typing import Final

from envstage.project import Project
from envstage.views import archive
from envstage.world import TimedOut, World

_REVISIONS: Final = 300
_GIT_TIMEOUT_S: Final = 30


def contents_of(world: World, project: Project, file: str) -> Iterator[bytes]:
    """The bytes of a view (its path in the project), the likely ones first."""
    try:
        with open(project.path(file), "rb") as opened:
            yield opened.read()
    except OSError:
        pass
    yield from archive.all_kept(project.state)
    raw = ("log", "--all", f"-n{_REVISIONS}", "--format=", "--raw", "--no-abbrev", "--no-renames")
    seen = set()
    for line in os.fsdecode(_git(world, project, *raw, "--", file)).splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[3] not in seen and set(fields[3]) != {"0"}:
            seen.add(fields[3])
            yield _git(world, project, "cat-file", "blob", fields[3])


def _git(world: World, project: Project, *arguments: str) -> bytes:
    git = world.which("git")
    if git is None:
        return b""
    safe = ("-c", "core.fsmonitor=false", "--no-pager", "-C", project.root)
    try:
        done = world.run((git, *safe, *arguments), timeout_s=_GIT_TIMEOUT_S)
    except (OSError, TimedOut):
        return b""
    return done.stdout if done.returncode == 0 else b""
