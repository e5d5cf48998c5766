"""What tells that an interpreter and its distributions are those that were described before.

What `answer` reads is stood for by the identity of its file: device, inode, size, and the times
of its content and its entry, of which an edit in place moves the last and nobody can put it back.
A digest over all of them is the same as long as a new answer would be, for a fraction of its
cost. A `direct_url.json` that is edited in place is for the caller to look at: hardly any
distribution has one. WHEEL and INSTALLER are written with the folder, and nobody edits them.
"""

from __future__ import annotations

import os
import sys

_SUFFIXES = (".dist-info", ".egg-info")
# Of a distribution, its folder (files come and go) and the files that are edited in place.
_FILES = ("", "/METADATA", "/RECORD", "/entry_points.txt")
_EGG_FILES = ("", "/PKG-INFO", "/entry_points.txt", "/top_level.txt")


def seen(path: list[str]) -> tuple[str, int]:
    """The digest, and the youngest of the times (nanoseconds since 1970).

    `path` is the interpreter's import path as a program has it.
    """
    try:
        from _blake2 import blake2b  # `hashlib` would load OpenSSL: 3 ms
    except ImportError:
        from hashlib import blake2b

    here = os.getcwd()
    try:
        found = [(folder, *_files(folder, here)) for folder in dict.fromkeys(path) if folder]
    finally:
        os.chdir(here)
    text = repr((_interpreter(path), found)).encode("utf-8", "surrogateescape")
    youngest = max((max(times, default=0) for _, _, _, times in found), default=0)
    return blake2b(text, digest_size=20).hexdigest(), youngest


def _interpreter(path: list[str]) -> list[object]:
    import _imp

    places = (sys.executable or "", sys.prefix, sys.base_prefix, *path)
    return [
        *(sys.executable, sys.version, sys.prefix, sys.base_prefix),
        *(path, [os.path.realpath(each) for each in places]),
        # A debug build can have the version's text, and its date, of the other.
        *(sys.implementation.name, tuple(sys.version_info), getattr(sys, "abiflags", "")),
        *(hasattr(sys, "gettotalrefcount"), _imp.extension_suffixes()),
    ]


def _files(folder: str, here: str) -> tuple[list[str], list[object], list[int]]:
    """The distributions of a folder of the import path; what tells their files, and times."""
    looks: list[object] = []
    times: list[int] = []
    os.chdir(here)
    try:
        names = sorted(os.listdir(folder))
        os.chdir(folder)  # a short path is found in two thirds of the time
        infos = [name for name in names if name.lower().endswith(_SUFFIXES) or name == "EGG-INFO"]
        files = [info + inner for info in infos for inner in _inner(info)]
    except OSError:
        infos, files = [], [folder]  # a zip file, or nothing
    stat = os.stat
    for file in files:
        try:
            found = stat(file)
        except OSError:
            looks.append(None)
            if file.endswith("/METADATA"):  # then this is read in its place
                files.append(file[: -len("METADATA")] + "PKG-INFO")
            continue
        # Not every file system has inodes of its own, and a time that nobody can put back.
        looks.append((found.st_dev, found.st_ino, found.st_size))
        times += (found.st_mtime_ns, found.st_ctime_ns)
    return infos, looks, times


def _inner(info: str) -> tuple[str, ...]:
    return _FILES if info.lower().endswith(".dist-info") else _EGG_FILES
