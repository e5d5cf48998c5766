"""The questions of a trace, asked of the machine. Answers are short texts, or what went wrong.

A file is told by its identity: device, inode, size and the times of its content and its entry
(an edit in place changes the last, also where somebody puts the modification time back). What
`/proc` and `/sys` say is made on being read: there, the content is compared.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# An answer that nobody may build on: too young for the clock of its disk.
YOUNG = "young"
# A second write within one tick of a coarse clock would not be seen.
SETTLED_NS = 2 * 10**9
_READ_BYTES = 64 * 1024 * 1024
_MADE_ON_READING = ("/proc/", "/sys/")
# Lines that change from second to second: no fact is made of them, and no reader sees them.
_DRIFTING = {"/proc/cpuinfo": (b"cpu MHz", b"bogomips", b"BogoMIPS")}
_STEADY = {"/proc/meminfo": (b"MemTotal",), "/proc/self/status": (b"Cpus_allowed_list",)}


def digest(*parts: bytes) -> str:
    """A digest of texts; from the C module, since `hashlib` loads OpenSSL: 3 ms."""
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b

    found = blake2b(digest_size=20)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.hexdigest()


def settled(path: str, content: bytes) -> bytes:
    """The content of a file without the lines that drift."""
    drifting, steady = _DRIFTING.get(path, ()), _STEADY.get(path)
    if not drifting and steady is None:
        return content
    return b"".join(
        line
        for line in content.splitlines(keepends=True)
        if not line.startswith(drifting) and (steady is None or line.startswith(steady))
    )


def is_made_on_reading(path: str) -> bool:
    """Whether the kernel makes the file's content up as it is read."""
    return path.startswith(_MADE_ON_READING)


def identity(path: str, now_ns: int) -> str:
    """What tells that a file or folder is the one that it was; `YOUNG` where nothing can yet."""
    try:
        stat = os.stat(path)
    except (OSError, ValueError) as error:
        return f"error {getattr(error, 'errno', None)}"
    newest = max(stat.st_mtime_ns, stat.st_ctime_ns)
    if newest > now_ns - SETTLED_NS:
        return YOUNG
    parts = (stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns)
    return " ".join(str(part) for part in (*parts, stat.st_ctime_ns))


def content(path: str) -> str:
    """The digest of what a file says, but for what drifts."""
    try:
        with open(path, "rb") as file:
            return digest(settled(path, file.read(_READ_BYTES)))
    except (OSError, ValueError) as error:
        return f"error {getattr(error, 'errno', None)}"


def names(path: str) -> str:
    """The digest of the names in a folder."""
    try:
        return digest(*map(os.fsencode, sorted(os.listdir(path))))
    except (OSError, ValueError) as error:
        return f"error {getattr(error, 'errno', None)}"


def exists(path: str) -> str:
    """Whether something is there."""
    return str(os.path.exists(path))


def real_path(path: str) -> str:
    """Where links lead to."""
    return os.path.realpath(path)


def program(environ: "Mapping[str, str]", name: str) -> str:
    """The path of the executable that a shell would start for a name; empty where there is none."""
    if os.sep in name:
        return name if os.access(name, os.X_OK) and os.path.isfile(name) else ""
    # `shutil.which` brings four compression libraries along: 6 ms.
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ""


def machine(_: str = "") -> str:
    """What kind of machine this is, and how much of it this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity is not None else os.cpu_count()
    system = os.uname() if hasattr(os, "uname") else ("",) * 5  # Windows
    return f"{sys.platform} {system[4]} {system[2]} {count}"


def variable(environ: "Mapping[str, str]", name: str, salt: str) -> str:
    """The salted digest of a variable's value; empty where it is not set."""
    value = environ.get(name)
    return "" if value is None else digest(salt.encode(), os.fsencode(value))


def variables(environ: "Iterable[str]") -> str:
    """The digest of the names that are set."""
    return digest(*sorted(os.fsencode(name) for name in environ))
