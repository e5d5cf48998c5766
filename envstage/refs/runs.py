"""The runs that left receipts: here, and over Git's history. Executes only Git."""

import hashlib
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.receipts.document import decode, is_receipt
from envstage.receipts.model import Receipt
from envstage.refs import files
from envstage.refs.dvc_objects import LOCK_FILE, Recorded, cached, receipts_in
from envstage.refs.git import Commit, Git
from envstage.world import World

# Receipts that are not outs of DVC's are found in Git by where they lie or how they are called.
_IN_GIT: Final = (":(glob)**/receipts/*.json", ":(glob)**/*receipt*.json")
_LOCKS: Final = f":(glob)**/{LOCK_FILE}"
_RUN: Final = re.compile(r"r-[0-9a-f]{4,32}")
_SKIPPED: Final = frozenset({"node_modules", "site-packages", "__pycache__", "venv"})
_DEPTH: Final = 4
# Changes that Git is asked for together.
_AT_ONCE: Final = 100
NOT_HERE: Final = "its receipt is not here: `dvc fetch --all-commits` brings it"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A run, and the commit that recorded it.

    Attributes:
        commit: None for what is in the working tree and not yet committed.
        stage: as dvc.lock calls it; empty for a receipt that is itself in Git.
        path: of the receipt, relative to the project.
        receipt: None where it cannot be read; `problem` says why.
        data: the receipt's bytes.
    """

    commit: Commit | None
    stage: str
    path: str
    receipt: Receipt | None
    data: bytes = b""
    problem: str = ""


def is_run(ref: str) -> bool:
    """Whether a text is a run's id or the beginning of one: `r-3f9c`."""
    return _RUN.fullmatch(ref) is not None


def runs(
    world: World, project: Project, *, start: Sequence[str] = ("HEAD",), most: int = 0
) -> Iterator[Listed]:
    """The runs, the newest commit first: each where it was recorded, or came back.

    Args:
        start: revisions, or `--all`.
        most: look at no more than so many commits; 0 for all.
    """
    git = Git(world, project.root)
    head = git.commit_of("HEAD") or ""
    for lock in _locks(project.root):
        data = files.content_of(os.path.join(project.root, lock)) or b""
        committed = git.blob(head, lock) if head else None
        for each in _new(data, committed or b""):
            yield _listed(project, None, lock, each)
    changes = git.changes((_LOCKS, *_IN_GIT), start=start, most=most)
    while batch := list(islice(changes, _AT_ONCE)):
        names = [name for _, _, old, new in batch for name in (old, new)]
        contents = dict(zip(names, git.blobs(names), strict=True))
        for commit, file, old, new in batch:
            after, before = contents[new] or b"", contents[old] or b""
            if posixpath.basename(file) == LOCK_FILE:
                for each in _new(after, before):
                    yield _listed(project, commit, file, each)
            elif is_receipt(after):
                yield _read(commit, "", file, after)


def receipt_data(world: World, project: Project, ref: str, start: str) -> tuple[bytes, str]:
    """The bytes of a receipt, and how to call it.

    Args:
        ref: a file, a run's id or the beginning of one, `REVISION:FILE`.

    Raises:
        EnvstageError: there is no such receipt, or there are several.
    """
    path = os.path.join(start, ref)
    if os.path.isfile(path):
        return files.read(path), ref
    git = Git(world, project.root)
    if is_run(ref):
        return run_data(world, project, ref)
    revision, colon, file = ref.partition(":")
    commit = git.commit_of(revision) if colon else None
    data = git.blob(commit, file) if commit else None
    if data is None:
        raise EnvstageError(
            "there is no such receipt",
            where=ref,
            fix="Give its file, or a run's id: `envstage log --runs` lists them",
        )
    return data, ref


def run_data(world: World, project: Project, ref: str) -> tuple[bytes, str]:
    """The receipt of a run by its id; errors as for `receipt_data`."""
    found: dict[str, bytes] = {}
    for each in runs(world, project, start=("--all",)):
        if each.receipt is None or not each.receipt.run.id.startswith(ref):
            continue
        found.setdefault(each.receipt.run.id, each.data)
        if ref == each.receipt.run.id:
            break
    if len(found) > 1:
        shown = ", ".join(f"`{run[:12]}`" for run in list(found)[:6])
        raise EnvstageError(f"names several runs: {shown}", where=ref, fix="Write more of it")
    for run, data in found.items():
        return data, f"run {run[:12]}"
    raise EnvstageError(
        "no receipt of this run is here",
        where=ref,
        fix="`envstage log --runs` lists those that are; `dvc fetch --all-commits` brings more",
    )


def recorded_md5(project: Project, path: str) -> str | None:
    """The md5 that dvc.lock has of a receipt; None where it is no out of a stage."""
    for lock in _locks(project.root):
        data = files.content_of(os.path.join(project.root, lock)) or b""
        for each in receipts_in(data):
            if _is_at(project.root, lock, each, path):
                return each.md5 or None
    return None


def _is_at(root: str, lock: str, each: Recorded, path: str) -> bool:
    real = os.path.realpath(path).replace(os.sep, "/")
    if each.path.startswith("../"):
        return real.endswith("/" + _from_top(each.path))
    folder = os.path.join(root, posixpath.dirname(lock))
    return real == os.path.realpath(os.path.join(folder, each.path)).replace(os.sep, "/")


def _from_top(path: str) -> str:
    """A stage's path without the way up: its working directory is not in dvc.lock."""
    return re.sub(r"^(\.\./)+", "", path)


def _new(after: bytes, before: bytes) -> list[Recorded]:
    """The receipts of a dvc.lock that an earlier one does not have."""
    known = set(_receipts_in(before))
    return [each for each in _receipts_in(after) if each not in known]


@lru_cache(maxsize=4)  # what a commit changed is what the next one has changed from
def _receipts_in(lock: bytes) -> tuple[Recorded, ...]:
    return receipts_in(lock)


def _listed(project: Project, commit: Commit | None, lock: str, each: Recorded) -> Listed:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(lock), _from_top(each.path)))
    data = _object(project, path, each.md5)
    if data is None:
        return Listed(commit=commit, stage=each.stage, path=path, receipt=None, problem=NOT_HERE)
    return _read(commit, each.stage, path, data)


def _read(commit: Commit | None, stage: str, path: str, data: bytes) -> Listed:
    try:
        receipt = decode(data, path).receipt
    except EnvstageError as error:
        return Listed(commit=commit, stage=stage, path=path, receipt=None, problem=error.what)
    name = stage or receipt.run.stage or ""
    return Listed(commit=commit, stage=name, path=path, receipt=receipt, data=data)


def _object(project: Project, path: str, md5: str) -> bytes | None:
    """A receipt from DVC's cache, or from the working tree if that is the same."""
    data = cached(project.root, md5) if md5 else None
    if data is None:
        data = files.content_of(os.path.join(project.root, path))
        if data is None or (md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != md5):
            return None
    return data


def _locks(root: str) -> Iterator[str]:
    """The dvc.lock files of the working tree, relative to the project."""
    for folder, names, found in os.walk(root):
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        depth = 0 if relative == "." else relative.count("/") + 1
        names[:] = sorted(
            name
            for name in names
            if not name.startswith(".") and name not in _SKIPPED and depth < _DEPTH
        )
        if LOCK_FILE in found:
            yield LOCK_FILE if relative == "." else f"{relative}/{LOCK_FILE}"
