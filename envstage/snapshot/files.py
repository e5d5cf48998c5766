"""Files that are always whole: written aside, synced, renamed; not touched if nothing changed."""

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterator

from envstage.errors import EnvstageError

_TEMPORARY = r".+\.[0-9]+\.tmp"


def write(path: str, content: bytes, *, is_durable: bool = True) -> bool:
    """Make the file have that content; says whether it had to be changed.

    Args:
        is_durable: wait until the disk has it, so that a power failure cannot leave an empty
            file. Not for what nothing depends on.

    Raises:
        EnvstageError: it cannot be written; what was there before is still there.
    """
    try:
        with open(path, "rb") as file:
            if file.read(len(content) + 1) == content:
                return False
    except OSError:
        pass
    # One name per file, process and thread is enough: writers hold the project's lock.
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(temporary, "wb", opener=_no_link) as file:
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise cannot_write(path, error) from None
    except BaseException:  # Ctrl-C: leave nothing half-made behind
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return True


def remove_leftovers(folder: str) -> None:
    """Remove what writers that were killed left in a folder; for the holder of the lock."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if re.fullmatch(_TEMPORARY, name):
                os.unlink(os.path.join(folder, name))


def _no_link(path: str, flags: int) -> int:
    # A stranger's repository may hold a link of that name, to a file of yours.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def cannot_write(path: str, error: OSError) -> EnvstageError:
    """The error for a file that cannot be written, in a user's words."""
    advice = {
        errno.ENOSPC: "Free some space and run it again",
        errno.EROFS: "The file system is read-only; set ENVSTAGE_MODE=hold to keep the snapshot",
        errno.EACCES: "Make the folder writable, or set ENVSTAGE_MODE=hold to keep the snapshot",
    }
    return EnvstageError(
        f"cannot be written: {error.strerror or error}",
        where=path,
        fix=advice.get(error.errno or 0, ""),
    )


@contextlib.contextmanager
def locked(path: str, timeout_s: float, *, is_reader: bool = False) -> Iterator[None]:
    """Hold an exclusive lock on a file, which ends with the process whatever happens to it.

    Args:
        is_reader: go without where the lock cannot be written: nobody else can write there
            either, and a reader has nothing to lose.

    Raises:
        EnvstageError: another process held it for all of `timeout_s`.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if is_reader and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            yield
            return
        raise cannot_write(path, error) from None
    try:
        _acquire(descriptor, path, timeout_s)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            raise EnvstageError(
                f"another envstage has been at work here for {timeout_s:g} s",
                where=path,
                fix="Wait for it, or end it",
            )
        time.sleep(0.02)


def _try_lock(descriptor: int) -> bool:
    if os.name == "nt":  # pragma: no cover - Windows
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
