"""A fingerprint as a REF: looked for in the working tree, in the archive, in Git's history."""

import os
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from envstage import layout
from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.refs import files
from envstage.refs.git import Git
from envstage.refs.named import Named, is_ours, named, named_view
from envstage.views import archive
from envstage.views.document import view_fingerprint

_FINGERPRINT: Final = re.compile(r"[ev]-[0-9a-f]{4,64}")
_SNAPSHOT: Final = "e"
_SHOWN: Final = 14


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A document that has a fingerprint."""

    fingerprint: str
    named: Named


def is_fingerprint(ref: str) -> bool:
    """Whether a text is a fingerprint or the beginning of one: `e-3f9c`."""
    return _FINGERPRINT.fullmatch(ref) is not None


def matches(git: Git, project: Project, ref: str) -> list[Match]:
    """The different documents whose fingerprint begins so; the nearest place of each."""
    found: dict[str, Match] = {}
    for match in _everywhere(git, project, ref):
        found.setdefault(match.fingerprint, match)
        if match.fingerprint == ref:
            return [match]
    return list(found.values())


def _everywhere(git: Git, project: Project, ref: str) -> Iterator[Match]:
    yield from _in_tree(project, ref)
    if not ref.startswith(_SNAPSHOT):
        yield from _in_archive(project, ref)
    yield from _in_history(git, ref)


def _in_tree(project: Project, ref: str) -> Iterator[Match]:
    for folder, _, names in os.walk(project.path(layout.FOLDER)):
        for name in names:
            if not _is_kind(f"{folder}/{name}".replace(os.sep, "/"), ref):
                continue
            path = os.path.join(folder, name)
            data = files.content_of(path)
            if data is not None:
                yield from _match(data, os.path.relpath(path, project.root), ref)


def _in_archive(project: Project, ref: str) -> Iterator[Match]:
    for view in project.config.views:
        for entry in archive.read(project.state, view.environment, view.name):
            fingerprint = view_fingerprint(entry.view)
            if fingerprint.startswith(ref):
                label = f"{fingerprint[:_SHOWN]} (archive, view {view.name})"
                yield Match(fingerprint=fingerprint, named=named_view(entry.view, label))


def _in_history(git: Git, ref: str) -> Iterator[Match]:
    written = [each for each in git.written(layout.FOLDER) if _is_kind(each[2], ref)]
    newest = {blob: commit for commit, blob, _ in reversed(written)}
    if not newest:
        return
    for (blob, commit), data in zip(newest.items(), git.blobs(list(newest)), strict=True):
        if data is None:
            continue
        for match in _match(data, f"{blob[:7]} in {commit[:7]}", ref):
            label = f"{match.fingerprint[:_SHOWN]} (commit {commit[:7]})"
            found = msgspec.structs.replace(match.named, label=label, commit=commit)
            yield msgspec.structs.replace(match, named=found)


def _is_kind(path: str, ref: str) -> bool:
    if ref.startswith(_SNAPSHOT):
        return path.endswith(f"/{layout.SNAPSHOT}")
    return f"/{layout.VIEWS}/" in path and path.endswith(".json")


def _match(data: bytes, where: str, ref: str) -> Iterator[Match]:
    # A snapshot says its own fingerprint: most are told without being decoded.
    if not is_ours(data) or (ref.startswith(_SNAPSHOT) and f'"{ref}'.encode() not in data):
        return
    try:
        found = named(data, where)
    except EnvstageError:
        return
    if found.view is not None:
        fingerprint = view_fingerprint(found.view)
    else:
        fingerprint = re.search(rb'"fingerprint": ?"([^"]+)"', data)[1].decode()  # type: ignore[index]
    if fingerprint.startswith(ref):
        label = f"{fingerprint[:_SHOWN]} ({where})"
        yield Match(fingerprint=fingerprint, named=msgspec.structs.replace(found, label=label))
