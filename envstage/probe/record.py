"""The build digest: sha256 over the canonical RECORD of the files that can act.

RECORD is the installed files' list with their hashes (PEP 376, PEP 627). Left out is what does
not act or depends on where and by whom it was installed: everything of `*.dist-info` but
`entry_points.txt` (a long description, a licence, INSTALLER, direct_url.json), bytecode, and
what lies in `bin`/`Scripts` and `include` (wrappers carry the environment's path; case 41).
What remains is identical for pip and uv, in environments at different paths (case 22).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

_RECORD_BYTES = 64 * 1024 * 1024
_NATIVE = (".so", ".pyd", ".dylib", ".dll", ".a", ".o", ".lib")
_SKIPPED_OUTSIDE = ("bin", "scripts", "include")


def build_of(path: str, info: str, *, is_own_build: bool) -> dict[str, Any]:
    """`build`, `build_files` (their number) and `tops`, or `build_problem`; {} without RECORD.

    Of a wheel that was compiled on this machine, only the names of native files count: the
    same source compiled twice gives other bytes (case 29).
    """
    try:
        with open(path + os.sep + "RECORD", "rb") as file:
            data = file.read(_RECORD_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        return {"build_problem": "RECORD cannot be read: %s" % error.strerror}
    if not data.strip():
        return {"build_problem": "RECORD is empty"}
    text = data.decode("utf-8", "surrogateescape")
    lines = sorted(_acting(text, info, is_own_build))
    import hashlib

    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    kind = "source-sha256:" if is_own_build else "sha256:"
    return {
        "build": kind + digest,
        "build_files": len(lines),
        "tops": _tops(lines),
        "metadata_digest": _metadata_digest(text, info),
    }


def matching_share(path: str) -> float:
    """How much of RECORD is true: the share of its files that are there in the size recorded."""
    folder = os.path.dirname(path)
    total = matching = 0
    try:
        with open(path + os.sep + "RECORD", "rb") as file:
            text = file.read(_RECORD_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return 0.0
    for name, _, size in rows(text):
        if size_of(size) < 0:
            continue
        total += 1
        matching += _size(os.path.join(folder, name)) == size_of(size)
    return matching / total if total else 0.0


def size_of(text: str) -> int:
    """A size in bytes as RECORD has it; -1 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):  # NUL in a name is a ValueError
        return -1


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    """The rows of a RECORD: path, hash (`sha256=…` or empty), size in bytes (or empty)."""
    for line in text.splitlines():
        if '"' in line:
            import csv

            try:
                found = [row for row in csv.reader([line]) if len(row) >= 3]
            except csv.Error:  # a field larger than 128 KiB
                continue
            for row in found:
                yield row[0], row[1], row[2]
            continue
        name, _, rest = line.rpartition(",")
        name, _, digest = name.rpartition(",")
        if name:
            yield name, digest, rest


def acting_files(text: str, info: str) -> Iterator[tuple[str, str, str]]:
    """The rows of a RECORD whose files can act, with their paths as they are."""
    for name, digest, size in rows(text):
        if name == info + "/entry_points.txt" or (
            not name.startswith(info + "/")
            and "__pycache__/" not in name
            and not name.endswith((".pyc", ".pyo"))
            and _placed(name.replace("\\", "/")) is not None
        ):
            yield name, digest, size


def _acting(text: str, info: str, is_own_build: bool) -> Iterator[str]:
    own_folder = info + "/"
    for name, digest, _ in rows(text):
        if name.startswith(own_folder):
            if name != own_folder + "entry_points.txt":
                continue
            name = ".dist-info/entry_points.txt"
        elif "__pycache__/" in name or name.endswith((".pyc", ".pyo")):
            continue
        else:
            placed = _placed(name.replace("\\", "/"))
            if placed is None:
                continue
            name = placed
        if is_own_build and _is_native(name):
            digest = ""
        yield "%s,%s" % (name, digest)


def _tops(lines: list[str]) -> list[str]:
    """The names at the top of the installed files: `numpy`, `six`, `_yaml`."""
    tops = {line.rpartition(",")[0].partition("/")[0] for line in lines}
    names = {top.partition(".")[0] for top in tops if not top.startswith(".")}
    return sorted(name for name in names if name.isidentifier())


def _metadata_digest(text: str, info: str) -> str | None:
    for name, digest, _ in rows(text):
        if name == info + "/METADATA" and digest:
            return digest.replace("=", ":", 1)
    return None


def _placed(name: str) -> str | None:
    """A path without the way out of site-packages; None for what does not count there."""
    if name.startswith("/") or name[1:3] == ":/":
        return None
    if not name.startswith("../"):
        return name
    while name.startswith("../"):
        name = name[3:]
    if name.partition("/")[0].lower() in _SKIPPED_OUTSIDE:
        return None
    return "../" + name


def _is_native(name: str) -> bool:
    return name.endswith(_NATIVE) or ".so." in name
