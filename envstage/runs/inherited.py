"""What this process inherited, before Python changed it: the command gets it so.

At its start the interpreter ignores SIGPIPE and SIGXFSZ, and under the C locale it sets LC_CTYPE
(PEP 538). A command that `envstage run` starts must see neither.
"""

import os
import signal
import sys
from collections.abc import Mapping
from typing import Final

# Their start is no program's choice: what ignores SIGPIPE there, the children ignore too. Others
# (Python, and everything written in Rust) ignore it for themselves and not for their children.
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "busybox"})
_COERCED: Final = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})


def inherited_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that the interpreter set; `_` is what a shell says it starts."""
    result = dict(environ)
    if result.get("LC_CTYPE") in _COERCED and not _was_set(b"LC_CTYPE="):
        del result["LC_CTYPE"]
    return result


def with_program(environ: Mapping[str, str], program: str) -> dict[str, str]:
    """The variables for a program: a shell puts the path of what it starts into `_`."""
    result = dict(environ)
    if result.get("_") in (sys.argv[0], sys.orig_argv[0], sys.executable):
        result["_"] = program
    return result


def ignored_signals() -> frozenset[int]:
    """The signals that the command has to ignore, as it would without us (`nohup`, `trap ''`)."""
    ours = {signal.SIGPIPE, signal.SIGXFSZ}
    found = {
        number
        for number in signal.valid_signals() - ours
        if signal.getsignal(number) is signal.SIG_IGN
    }
    return frozenset(found | {number for number in ours if _shell_ignores(number)})


def _was_set(start: bytes) -> bool:
    try:
        with open("/proc/self/environ", "rb") as file:
            return any(each.startswith(start) for each in file.read().split(b"\0"))
    except OSError:
        return True


def _shell_ignores(number: int) -> bool:
    """Whether the process that started this one is a shell that ignores the signal."""
    try:
        with open(f"/proc/{os.getppid()}/status", "rb") as file:
            lines = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
        name, mask = lines[b"Name"].strip().decode(), int(lines[b"SigIgn"], 16)
    except (OSError, KeyError, ValueError):
        return False
    return name in _SHELLS and bool(mask >> (number - 1) & 1)
