"""A trace and its file: questions with their answers, in the user's cache.

Fields are set apart by NUL, which no path and no argument can hold; reading that costs nothing,
`json` 3 ms. The last one is a digest of all before. What cannot be read is as if it was not there.
"""

import os
import sys

from envstage import __version__
from envstage.trace.questions import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Question: TypeAlias = tuple[str, str, str]
    """Kind, subject, answer."""

_FORMAT = "envstage trace 2"
_LIMIT_BYTES = 16 * 1024 * 1024
_HEAD = 4


class Trace:
    """The questions of a capture of one project.

    Attributes:
        salt: what digests of variables are made with.
        questions: in the order in which they were asked.
    """

    def __init__(self, salt: str, questions: "list[Question]") -> None:
        self.salt = salt
        self.questions = questions


def cache_folder(environ: "Mapping[str, str]") -> str:
    """The user's cache folder; empty where there is none to write to."""
    override = environ.get("ENVSTAGE_CACHE")
    if override is not None:
        return override
    system: str = sys.platform
    if system.startswith("linux"):
        # What platformdirs answers, without its 4 ms of start-up.
        home = environ.get("HOME", "")
        base = environ.get("XDG_CACHE_HOME") or (os.path.join(home, ".cache") if home else "")
        return os.path.join(base, "envstage") if os.path.isabs(base) else ""
    import platformdirs

    return str(platformdirs.user_cache_dir("envstage", appauthor=False))


def path_of(cache: str, root: str, environment: str = "") -> str:
    """Where the trace of a project lies; with an environment, that of its views alone."""
    return os.path.join(cache, "traces", digest(os.fsencode(root), environment.encode()))


def load(path: str) -> Trace | None:
    """Read a trace; None where there is none, or one of another project, release or user."""
    try:
        with open(path, "rb") as file:
            # Another user's word is not taken: it decides what is captured.
            if hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            content, _, seal = file.read(_LIMIT_BYTES).rpartition(b"\0")
    except OSError:
        return None
    fields = os.fsdecode(content).split("\0")
    head, rest = fields[:_HEAD], fields[_HEAD:]
    is_whole = seal == digest(content).encode()
    if not is_whole or head[:3] != [_FORMAT, code_identity(), os.path.basename(path)]:
        return None
    return Trace(head[3], list(zip(rest[::3], rest[1::3], rest[2::3], strict=True)))


def save(path: str, trace: Trace) -> None:
    """Write a trace; where that is impossible, the next capture takes its usual time."""
    fields = [_FORMAT, code_identity(), os.path.basename(path), trace.salt]
    fields += [field for question in trace.questions for field in question]
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        content = os.fsencode("\0".join(fields))
        content += b"\0" + digest(content).encode()
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except (OSError, UnicodeError):  # a text that this locale cannot write
        forget(temporary)


def forget(path: str) -> None:
    """Remove a trace that holds no more."""
    try:
        os.unlink(path)
    except OSError:
        return


def code_identity() -> str:
    """What tells one envstage from another: its release, its files as they are, its Python."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return __version__ + " " + digest(sys.version.encode(), *_sources(top))


def _sources(folder: str) -> "list[bytes]":
    found = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.name == "__pycache__":
                continue
            if entry.is_dir():
                found += _sources(entry.path)
            else:
                stat = entry.stat()
                look = f" {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"
                found.append(os.fsencode(entry.path + look))
    return found
