"""The commits that changed a snapshot, each with what it was before and after."""

from collections.abc import Callable, Sequence

import msgspec

from envstage import layout
from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.refs import revisions
from envstage.refs.git import Commit, Git, unique
from envstage.snapshot.document import decode
from envstage.snapshot.model import Snapshot
from envstage.world import World

Progress = Callable[[int, int], None]
"""Called with how many of how many snapshots have been read."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One commit that changed the snapshot.

    Attributes:
        before: as its first parent has it; None where there was none.
        after: None where the commit removed it, or where it cannot be read.
        problem: why it cannot be read.
    """

    commit: Commit
    before: Snapshot | None
    after: Snapshot | None
    problem: str = ""


def history(
    world: World,
    project: Project,
    environment: str,
    *,
    revision: str = "",
    most: int = 0,
    progress: Progress | None = None,
) -> tuple[Entry, ...]:
    """The history of an environment's snapshot, the newest first.

    A commit is compared with its first parent: on a branch that was merged that is what the
    branch had, and for the merge what the merge brought.

    Raises:
        EnvstageError: there is no such revision, or no repository.
    """
    git = Git(world, project.root)
    file = layout.file_of(environment, layout.SNAPSHOT)
    commits = git.history([file], start=_start(git, revision), most=most)
    sides = [git.name_of(commit.id, file) for commit in commits]
    parents = [git.name_of(each.parent, file) if each.parent else "" for each in commits]
    blobs = git.objects([*sides, *(name or "0" * 40 for name in parents)]) if commits else []
    snapshots = _decoded(git, unique(blobs), file, progress)
    return tuple(
        _entry(commit, after, before, snapshots)
        for commit, after, before in zip(
            commits, blobs[: len(commits)], blobs[len(commits) :], strict=True
        )
    )


def starts(world: World, project: Project, revision: str) -> tuple[str, ...]:
    """The revisions that a history of REVISION begins with; errors as for `history`."""
    return _start(Git(world, project.root), revision)


def _start(git: Git, revision: str) -> tuple[str, ...]:
    if not revision:
        if git.commit_of("HEAD") is None:
            raise EnvstageError(
                "there is no commit yet", where="HEAD", fix="Commit `environment/` first"
            )
        return ("HEAD",)
    one, dots, other = revision.partition("..")
    if not dots:
        found = revisions.meanings(git, revision)
        return (found[0].commit,) if found else (revisions.require(git, revision),)
    commits = [revisions.require(git, each or "HEAD") for each in (one, other.lstrip("."))]
    return (f"{commits[0]}..{commits[1]}",)


def _decoded(
    git: Git, blobs: Sequence[str], file: str, progress: Progress | None
) -> dict[str, Snapshot | str]:
    """By blob its snapshot, or why it is none."""
    found: dict[str, Snapshot | str] = {}
    for number, (blob, data) in enumerate(zip(blobs, git.blobs(blobs), strict=True), 1):
        try:
            found[blob] = decode(data or b"", file)
        except EnvstageError as error:
            found[blob] = error.what
        if progress is not None:
            progress(number, len(blobs))
    return found


def _entry(
    commit: Commit,
    after: str | None,
    before: str | None,
    snapshots: dict[str, Snapshot | str],
) -> Entry:
    now = snapshots.get(after) if after is not None else None
    then = snapshots.get(before) if before is not None else None
    return Entry(
        commit=commit,
        before=then if isinstance(then, Snapshot) else None,
        after=now if isinstance(now, Snapshot) else None,
        problem=now if isinstance(now, str) else "",
    )
