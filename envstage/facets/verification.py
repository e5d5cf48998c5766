"""`verify: true`: are the installed files still those that RECORD lists?

An edit in place leaves RECORD, and so the build digest, as it was (case 23). Sizes and times are
looked at for every file; what has another size than recorded, or was changed after RECORD was
written, is hashed.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from envstage.facets.contract import Installed
from envstage.probe.record import acting_files, size_of

# Installers write RECORD last; a coarse clock must not make an edit seem older.
_SLACK_NS: Final = 2 * 10**9
_CHUNK_BYTES: Final = 1024 * 1024


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one distribution: the files that are not what RECORD says.

    `build` is the digest that takes their place in the identity; None where all is well.
    """

    name: str
    edited: tuple[str, ...] = ()
    build: str | None = None


def verify(
    distributions: Iterable[Installed], progress: Callable[[int, int], None]
) -> dict[str, Verified]:
    """Look at every file of the distributions that have a RECORD; by name, those that differ.

    Hashing leaves Python's lock alone, so that it keeps every processor busy.

    Args:
        progress: told how many distributions are done, and of how many.
    """
    known = [each for each in distributions if each.build is not None]
    edited = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for done, each in enumerate(pool.map(_verified, known), 1):
            progress(done, len(known))
            if each.edited:
                edited[each.name] = each
    return edited


def _verified(installed: Installed) -> Verified:
    edited = dict(_edited(installed))
    if not edited:
        return Verified(name=installed.name)
    text = "\n".join([installed.build or "", *(f"{k},{v}" for k, v in sorted(edited.items()))])
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Verified(
        name=installed.name, edited=tuple(sorted(edited)), build=f"edited-sha256:{digest}"
    )


def _edited(installed: Installed) -> Iterator[tuple[str, str]]:
    record = os.path.join(installed.metadata_path, "RECORD")
    try:
        with open(record, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
        settled_ns = os.stat(record).st_mtime_ns + _SLACK_NS
    except OSError:
        return
    info = os.path.basename(installed.metadata_path)
    for name, digest, size in acting_files(text, info):
        path = os.path.join(installed.location, name)
        try:
            stat = os.stat(path)
        except (OSError, ValueError):
            yield name, "gone"
            continue
        # Installers that link files from a cache change their ctime whenever another
        # environment links them too: only with a single link does it tell of an edit.
        changed_ns = max(stat.st_mtime_ns, stat.st_ctime_ns if stat.st_nlink == 1 else 0)
        is_suspect = changed_ns > settled_ns or size_of(size) not in (-1, stat.st_size)
        if is_suspect and digest.startswith("sha256="):
            actual = _digest(path)
            if actual != digest:
                yield name, actual


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        return f"unreadable: {error.strerror}"
    return "sha256=" + base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
