"""The other observer: what stands in `sys.modules` when a process ends. Shares nothing with ours.

A `.pth` file of the benchmark's environment imports it at every start. Each process leaves
`PID-RANDOM.begun` and, at its end, `PID-RANDOM.ended` with a line for each module: name and file.
"""

import atexit
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` must not be loaded in the observed program
    from collections.abc import Callable
    from typing import Any

FOLDER = os.environ.get("OBSERVED_TRUTH", "")
SIGTERM = 15


class Process:
    """The files of this process."""

    path = ""

    def begin(self) -> None:
        self.path = os.path.join(FOLDER, f"{os.getpid()}-{os.urandom(4).hex()}")
        with open(self.path + ".begun", "w"):
            pass

    def end(self) -> None:
        lines = [f"{name}\t{file_of(module)}\n" for name, module in list(sys.modules.items())]
        with open(self.path + ".ended", "w", errors="surrogateescape") as file:
            file.writelines(lines)


def file_of(module: "Any") -> str:
    """The file of a module, without touching lazy ones: they would load."""
    try:
        space = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return ""
    file = space.get("__file__")
    if isinstance(file, str):
        return file
    origin = getattr(space.get("__spec__"), "origin", None)
    return origin if isinstance(origin, str) else ""


def watch() -> None:
    process = Process()
    process.begin()
    atexit.register(process.end)

    def before(function: "Callable[..., Any]") -> "Callable[..., Any]":
        def ended(*arguments: "Any", **named: "Any") -> "Any":
            process.end()
            return function(*arguments, **named)

        return ended

    def terminated(number: int, frame: "Any") -> None:
        process.end()
        signals.signal(SIGTERM, signals.SIG_DFL)
        os.kill(os.getpid(), SIGTERM)

    def forked() -> None:
        process.begin()
        if signals.getsignal(SIGTERM) == signals.SIG_DFL:
            signals.signal(SIGTERM, terminated)

    signals: Any = __import__("_signal")  # `signal` would load `enum`
    os._exit = before(os._exit)
    os.execv, os.execve = before(os.execv), before(os.execve)
    os.register_at_fork(after_in_child=forked)


if FOLDER:
    watch()
