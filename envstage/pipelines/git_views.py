"""Every version of a view that is left: on disk, kept in the state folder, in Git's history."""

from collections.abc import Iterable, Iterator
from typing import Final

from envstage.project import Project
from envstage.refs.git import Git
from envstage.world import World

_VERSIONS: Final = 300


def contents_of(
    world: World, project: Project, file: str, kept: Iterable[bytes]
) -> Iterator[bytes]:
    """The bytes of a view (its path in the project), the likely ones first.

    Args:
        kept: those that the state folder has of it.
    """
    try:
        with open(project.path(file), "rb") as opened:
            yield opened.read()
    except OSError:
        pass
    yield from kept
    git = Git(world, project.root)
    blobs = list(dict.fromkeys(blob for _, blob, _ in git.written(file)))[:_VERSIONS]
    yield from (content for content in git.blobs(blobs) if content is not None)
