"""What was read of each distribution, kept per folder and user, keyed by its files' identity.

Reading 300 RECORD files takes 100 ms, a stat of each takes one. A lost, torn or foreign cache
costs time, never truth: entries hold only for the same device, inode, size, mtime and ctime
(an edit in place changes ctime, also when mtime is put back), and a file so young that a
coarse clock could hide a second write is not kept at all.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What an entry means; a new number forgets what was kept before.
_FORMAT = 3
_YOUNG_NS = 2 * 10**9
_LIMIT_BYTES = 64 * 1024 * 1024


class Cache:
    """The cache of one folder of the import path. Every failure is as if it was empty."""

    def __init__(self, cache_folder: str, folder: str) -> None:
        self._path = ""
        self._known: dict[str, Any] = {}
        self._used: dict[str, Any] = {}
        self._is_changed = False
        if cache_folder:
            import hashlib

            key = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:32]
            self._path = os.path.join(cache_folder, "digests-%d-%s.json" % (_FORMAT, key))
            self._known = _load(self._path)

    def get(self, info: str, identity: list[list[int]]) -> dict[str, Any] | None:
        """What was read of `info` while its files had this identity."""
        entry = self._known.get(info)
        if not all(identity[:2]) or not isinstance(entry, list) or len(entry) != 2:
            return None
        if entry[0] != identity or not isinstance(entry[1], dict):
            return None
        self._used[info] = entry
        return dict(entry[1])

    def put(self, info: str, identity: list[list[int]], facts: dict[str, Any]) -> None:
        """Keep what was read, unless it is too young to be sure of."""
        now = time.time_ns()
        # Without METADATA other files tell, whose identity this is not.
        if not all(identity[:2]) or any(
            part and not (max(part[3], part[4]) < now - _YOUNG_NS) for part in identity
        ):
            return
        self._used[info] = [identity, facts]
        self._is_changed = True

    def save(self) -> None:
        """Write what is still true, if it changed."""
        if not self._path or not (self._is_changed or len(self._used) != len(self._known)):
            return
        import json

        temporary = "%s.%d" % (self._path, os.getpid())
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(self._used, file, separators=(",", ":"))
            os.replace(temporary, self._path)
        except OSError:
            _remove(temporary)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _load(path: str) -> dict[str, Any]:
    import json

    try:
        with open(path, "rb") as file:
            owner = os.fstat(file.fileno()).st_uid
            # Another user's word is not taken: the digests decide what is rerun.
            if hasattr(os, "geteuid") and owner != os.geteuid():
                return {}
            known = json.loads(file.read(_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}
