"""`python inject.py FAULT N`: `envstage capture`, and before its N-th change of a file a fault.

An audit hook (PEP 578) is told of each opening for writing, rename, removal and new folder, before
it happens: nothing of envstage's is replaced. Run as a script, by `tests.faults.injected`.
"""

import errno
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable

# The exit code where the capture ended before the fault could happen.
PASSED = 77
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.utime", "os.truncate")


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def failing(number: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


def vanish() -> None:
    shutil.rmtree("environment", ignore_errors=True)


def vanish_all() -> None:
    here = os.getcwd()
    for name in os.listdir(here):
        path = os.path.join(here, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    os.rmdir(here)


def back() -> None:
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() - 86400
    time.time_ns = lambda: now_ns() - 86400 * 10**9


RENAMES = ("os.rename",)
GROWS = ("open", "os.mkdir")
ALL = ("open", *CHANGES)
# What happens, whether it goes on happening, and before which changes.
FAULTS: dict[str, tuple[Callable[[], None], bool, tuple[str, ...]]] = {
    "kill": (kill, False, ALL),
    "full": (failing(errno.ENOSPC), True, GROWS),
    "denied": (failing(errno.EACCES), True, ALL),
    "broken": (failing(errno.EIO), False, ALL),
    "rename": (failing(errno.EXDEV), False, RENAMES),
    "vanish": (vanish, False, ALL),
    "vanish_all": (vanish_all, False, ALL),
    "back": (back, False, ALL),
}


def install(fault: str, left: int) -> Callable[[], bool]:
    """Put the hook in place; what it gives says whether the fault has happened."""
    act, lasts, concerned = FAULTS[fault]
    is_acting = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left, is_acting
        if is_acting or event not in concerned or not _is_change(event, arguments):
            return
        left -= 1
        if left == 0 or (lasts and left < 0):
            is_acting = True
            try:
                act()
            finally:
                is_acting = False

    sys.addaudithook(hook)
    return lambda: left <= 0


def _is_change(event: str, arguments: tuple[object, ...]) -> bool:
    if event != "open":
        return True
    path, flags = arguments[0], arguments[2]
    is_write = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
    return is_write and path != os.devnull


if __name__ == "__main__":
    # Loaded before: what an import writes or reads is not what is tested.
    import envstage.capture.write
    import envstage.cli.capture_command  # noqa: F401
    from envstage.cli import main

    has_happened = install(sys.argv[1], int(sys.argv[2]))
    code = main(["capture"])
    sys.exit(code if has_happened() else PASSED)
