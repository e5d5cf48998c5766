"""Start a command so that it cannot tell: streams, terminal, directory, signals, exit code."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Final

from envstage.errors import RefusedError

# What people and schedulers send to a job. A terminal's Ctrl-C reaches the command itself, as
# it is in the same process group; the guard then only waits for it.
_PASSED_ON: Final = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGCONT")
_NOT_FOUND: Final = 127


def run_command(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end; its exit code, 128 + the signal where one killed it.

    Raises:
        RefusedError: it cannot be started.
    """
    try:
        process = subprocess.Popen(list(argv), env=dict(environ), close_fds=False)
    except FileNotFoundError:
        raise _not_started(argv[0], "there is no such program") from None
    except OSError as error:
        raise _not_started(argv[0], error.strerror or str(error)) from None
    before = _pass_signals_on(process)
    try:
        returncode = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return returncode if returncode >= 0 else 128 - returncode


def _pass_signals_on(process: "subprocess.Popen[bytes]") -> "dict[int, signal._HANDLER]":
    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        process.send_signal(number)

    def ignore(number: int, frame: FrameType | None) -> None:
        # Not SIG_IGN, which the command would have inherited had it come later.
        del number, frame

    before: dict[int, signal._HANDLER] = {}
    for name in _PASSED_ON:
        number = getattr(signal, name, None)
        if number is not None:
            before[number] = signal.signal(number, pass_on)
    before[signal.SIGINT] = signal.signal(signal.SIGINT, ignore)
    return before


def _not_started(program: str, why: str) -> RefusedError:
    error = RefusedError(f"`{os.path.basename(program)}` cannot be started: {why}")
    error.exit_code = _NOT_FOUND
    return error
