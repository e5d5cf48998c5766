"""Where packages may be found from here: options, configuration, the last capture's context."""

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from envstage import layout
from envstage.capture.origins import Origins
from envstage.errors import EnvstageError
from envstage.indexes import Indexes, configured
from envstage.project import Project
from envstage.recreate.plan import Places
from envstage.snapshot.canonical import parsed_as
from envstage.world import World

_LIMIT_BYTES: Final = 64 * 1024 * 1024


class _Context(msgspec.Struct):
    origins: Origins = Origins()


def recorded(project: Project, environment: str) -> Origins:
    """What the last capture on this machine recorded; nothing where there was none."""
    path = project.path(layout.file_of(environment, layout.CONTEXT))
    try:
        with open(path, "rb") as file:
            found: _Context = parsed_as(file.read(_LIMIT_BYTES), _Context)
            return found.origins
    except (OSError, ValueError):
        return Origins()


def indexes_of(
    world: World,
    project: Project,
    origins: Origins,
    *,
    extra: Sequence[str] = (),
    find_links: Sequence[str] = (),
) -> Indexes:
    """The indexes to ask: those named for this call first, then what is configured here, then
    what was configured where the environment was captured (without credentials).
    """
    for place in find_links:
        if not _is_there(place):
            raise EnvstageError("there is no such folder", where=place, fix="Correct --find-links")
    named = Indexes(
        extra=tuple(extra),
        find_links=tuple(
            os.path.abspath(each) if "://" not in each else each for each in find_links
        ),
    )
    before = Indexes(
        default=origins.default_index,
        extra=origins.extra_indexes,
        find_links=tuple(each for each in origins.find_links if _is_there(each)),
    )
    here = configured(world, project.root)
    known = {_bare(url) for url in (*here.extra, here.default or "")}
    new = tuple(url for url in before.extra if _bare(url) not in known)
    return named.merged(here).merged(msgspec.structs.replace(before, extra=new))


def places_of(project: Project, environment: str, origins: Origins, *, has_sources: bool) -> Places:
    """Where things lie on this machine."""
    return Places(
        root=project.root,
        environment=environment,
        local=origins.local,
        has_sources=has_sources,
    )


def _is_there(place: str) -> bool:
    return "://" in place or os.path.isdir(place)


def _bare(url: str) -> str:
    """An index without its user, to know it again."""
    return url.rpartition("@")[2].rpartition("//")[2].rstrip("/")
