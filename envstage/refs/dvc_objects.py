"""Objects of DVC's cache by their md5, and what dvc.lock says of them. DVC is not imported."""

import os
import posixpath
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import msgspec

from envstage.errors import EnvstageError
from envstage.yaml_node import loaded

LOCK_FILE: Final = "dvc.lock"
_LIMIT_BYTES: Final = 256 * 1024 * 1024
_MD5: Final = re.compile(r"[0-9a-f]{32}")


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt as dvc.lock records it: whose, where, and the md5 of its bytes.

    Attributes:
        stage: as dvc.lock calls it: `train`, `train@a`.
        path: as the stage writes it, relative to its working directory.
        md5: empty where it is not in the cache but in Git.
    """

    stage: str
    path: str
    md5: str


def receipts_in(lock: bytes) -> tuple[Recorded, ...]:
    """The receipts that a dvc.lock records: outs that a stage's command names as its receipt."""
    if b"--receipt" not in lock:
        return ()
    try:
        document = loaded(lock, LOCK_FILE)
    except EnvstageError:
        return ()
    stages = document.get("stages") if isinstance(document, dict) else None
    return tuple(_receipts(stages if isinstance(stages, dict) else {}))


def receipt_paths(cmd: str) -> tuple[str, ...]:
    """The receipts that a command writes, as it names them."""
    if "--receipt" not in cmd:
        return ()
    try:
        words = shlex.split(cmd)
    except ValueError:
        words = cmd.split()
    found = [after for word, after in pairwise(words) if word == "--receipt"]
    found += [word.partition("=")[2] for word in words if word.startswith("--receipt=")]
    return tuple(posixpath.normpath(each) for each in found)


def cached(root: str, md5: str) -> bytes | None:
    """An object of the cache; None where it is not here."""
    if not _MD5.fullmatch(md5):
        return None
    folder = _cache_folder(root)
    if folder is None:
        return None
    # As DVC 3 lays it out, and as DVC 2 did.
    for parts in (("files", "md5", md5[:2], md5[2:]), (md5[:2], md5[2:])):
        try:
            with open(os.path.join(folder, *parts), "rb") as file:
                return file.read(_LIMIT_BYTES)
        except OSError:
            continue
    return None


def _receipts(stages: dict[str, Any]) -> Iterator[Recorded]:
    for name, entry in stages.items():
        cmd = entry.get("cmd") if isinstance(entry, dict) else None
        lines = cmd if isinstance(cmd, list) else [cmd]
        paths = {path for line in lines if isinstance(line, str) for path in receipt_paths(line)}
        for out in (entry.get("outs") or ()) if paths else ():
            if isinstance(out, dict) and posixpath.normpath(str(out.get("path"))) in paths:
                path = posixpath.normpath(str(out["path"]))
                yield Recorded(stage=str(name), path=path, md5=str(out.get("md5") or ""))


def _cache_folder(root: str) -> str | None:
    folder = os.path.realpath(root)
    while not os.path.isdir(os.path.join(folder, ".dvc")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    place = os.path.join(folder, ".dvc")
    return os.path.join(place, _configured(place) or "cache")


def _configured(place: str) -> str:
    """`cache.dir` of the repository's configuration, which may be relative to `.dvc`."""
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read([os.path.join(place, name) for name in ("config", "config.local")])
    except (configparser.Error, UnicodeDecodeError):
        return ""
    return os.path.expanduser(parser.get("cache", "dir", fallback="").strip())
