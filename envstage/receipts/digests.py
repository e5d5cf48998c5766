"""Digests of what a run read and made: md5 as DVC has it, sha256 for everybody else."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Final

from envstage.receipts.model import Artifact, Entry

_CHUNK_BYTES: Final = 1 << 20
_LISTED_AT_MOST: Final = 1000
Ignored = Callable[[str], bool]
"""Whether DVC does not look at a path (its .dvcignore); the path is absolute."""


def _nothing(path: str) -> bool:
    del path
    return False


def artifact(
    root: str, path: str, *, limit_bytes: int = 0, is_ignored: Ignored = _nothing
) -> Artifact:
    """A file or folder as it is now.

    Args:
        root: the project's folder.
        path: relative to it.
        limit_bytes: do not read what is larger; 0: read all.
        is_ignored: which files of a folder DVC leaves out.
    """
    place = os.path.join(root, *path.split("/"))
    try:
        if os.path.isdir(place):
            return _folder(place, path, limit_bytes, is_ignored)
        size_bytes = os.stat(place).st_size
        if limit_bytes and size_bytes > limit_bytes:
            return _unread(path, size_bytes)
        md5, sha256, size_bytes = _hashed(place)
    except FileNotFoundError:
        return Artifact(path=path, kind="missing", why="it is not there")
    except OSError as error:
        return Artifact(path=path, kind="unread", why=f"cannot be read: {error.strerror}")
    return Artifact(path=path, kind="file", md5=md5, sha256=sha256, size_bytes=size_bytes)


def _folder(place: str, path: str, limit_bytes: int, is_ignored: Ignored) -> Artifact:
    files = sorted(_files(place, is_ignored))
    total_bytes = sum(os.stat(os.path.join(place, *each.split("/"))).st_size for each in files)
    if limit_bytes and total_bytes > limit_bytes:
        return _unread(path, total_bytes)
    entries = [_entry(place, each) for each in files]
    return Artifact(
        path=path,
        kind="folder",
        md5=dvc_digest(entries),
        dir_hash=dir_hash(entries),
        size_bytes=sum(each.size_bytes for each in entries),
        file_count=len(entries),
        entries=tuple(entries) if len(entries) <= _LISTED_AT_MOST else (),
        why="" if len(entries) <= _LISTED_AT_MOST else "too many files to list them here",
    )


def dvc_digest(entries: list[Entry]) -> str:
    """The digest of a folder in dvc.lock: md5 over the list of its files as JSON."""
    listed = [{"md5": each.md5, "relpath": each.path} for each in entries]
    listed.sort(key=lambda each: each["relpath"])
    data = json.dumps(listed, sort_keys=True).encode()
    return f"{hashlib.md5(data, usedforsecurity=False).hexdigest()}.dir"


def dir_hash(entries: list[Entry]) -> str:
    """What in-toto calls `dirHash`: sha256 over what `sha256sum` prints for the sorted files.

    https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md
    """
    listed = sorted(entries, key=lambda each: os.fsencode(each.path))
    lines = "".join(f"{each.sha256}  {each.path}\n" for each in listed)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _files(place: str, is_ignored: Ignored) -> Iterator[str]:
    for folder, names, files in os.walk(place):
        names[:] = [name for name in names if not is_ignored(os.path.join(folder, name) + os.sep)]
        for name in files:
            found = os.path.join(folder, name)
            if not is_ignored(found):
                yield os.path.relpath(found, place).replace(os.sep, "/")


def _entry(place: str, path: str) -> Entry:
    md5, sha256, size_bytes = _hashed(os.path.join(place, *path.split("/")))
    return Entry(path=path, sha256=sha256, md5=md5, size_bytes=size_bytes)


def _hashed(path: str) -> tuple[str, str, int]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    size_bytes = 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            md5.update(chunk)
            sha256.update(chunk)
            size_bytes += len(chunk)
    return md5.hexdigest(), sha256.hexdigest(), size_bytes


def _unread(path: str, size_bytes: int) -> Artifact:
    why = f"larger than what is read for a receipt ({size_bytes} bytes)"
    return Artifact(path=path, kind="unread", size_bytes=size_bytes, why=why)
