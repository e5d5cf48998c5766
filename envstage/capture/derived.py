"""The documents that follow from the snapshot: written when it changes, else left alone.

A note in the project's state says from which snapshot, release and columns they were made, and
what the files looked like then. While all of that still holds, nothing is rendered.
"""

import os
from collections.abc import Iterable
from typing import Final

import msgspec

from envstage import __version__, layout
from envstage.capture.assemble import derived_files
from envstage.project import Project
from envstage.snapshot.canonical import parsed_as
from envstage.snapshot.files import remove_leftovers, write
from envstage.snapshot.model import Snapshot

_LIMIT_BYTES: Final = 4 * 1024 * 1024


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    key: list[str]
    files: dict[str, list[int]]


def write_derived(project: Project, snapshot: Snapshot, fingerprint: str) -> list[str]:
    """Make the derived files of an environment current; the names of those that changed."""
    name = snapshot.environment
    key = [__version__, fingerprint, *project.config.columns]
    note = os.path.join(project.state, f"derived-{name}.json")
    known = _read(note)
    if known is not None and known.key == key and _looks(project, name, known.files) == known.files:
        remove_stale_facets(project, name, known.files)
        return []
    files = derived_files(snapshot, project.config)
    changed = [
        file
        for file, content in files.items()
        if write(project.path(layout.file_of(name, file)), content)
    ]
    remove_stale_facets(project, name, files)
    entry = _Note(key=key, files=_looks(project, name, files))
    write(note, msgspec.json.encode(entry), is_durable=False)
    return changed


def _looks(project: Project, name: str, files: Iterable[str]) -> dict[str, list[int]]:
    """What tells that a file is the one that was written."""
    looks: dict[str, list[int]] = {}
    for file in files:
        try:
            stat = os.stat(project.path(layout.file_of(name, file)))
        except OSError:
            looks[file] = []
            continue
        looks[file] = [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    return looks


def remove_stale_facets(project: Project, name: str, files: Iterable[str]) -> None:
    """Remove the facets that another commit or release wrote: the folder is one out of DVC's."""
    folder = project.path(layout.file_of(name, layout.FACETS))
    names = {os.path.basename(file) for file in files}
    for stale in set(os.listdir(folder)) - names:
        if stale.endswith(".json"):
            os.unlink(os.path.join(folder, stale))


def tidy(project: Project, name: str) -> None:
    """Remove what captures that were killed left behind: DVC takes the facets' folder whole."""
    for folder in ("", layout.VIEWS, layout.FACETS):
        remove_leftovers(project.path(layout.file_of(name, folder)))


def _read(path: str) -> _Note | None:
    try:
        with open(path, "rb") as file:
            note: _Note = parsed_as(file.read(_LIMIT_BYTES), _Note)
            return note
    except (OSError, ValueError):
        return None
