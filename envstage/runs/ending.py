"""How a command ended, and how to end in the same way."""

import os
import signal
import sys

import msgspec


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a command: an exit code, or the number of the signal that killed it (else 0)."""

    code: int = 0
    signal: int = 0

    @property
    def returncode(self) -> int:
        """As a shell reports it: 128 + the signal for a death by signal."""
        return 128 + self.signal if self.signal else self.code


def end_like(ending: Ending) -> int:
    """End this process as the command ended; returns only where an exit code says it all.

    Whoever waits for a command that a signal killed can tell: a shell leaves its loop after
    Ctrl-C, DVC and Snakemake say what happened.
    """
    if not ending.signal:
        return ending.code
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    _leave_no_core()
    if ending.signal not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(ending.signal, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {ending.signal})
    os.kill(os.getpid(), ending.signal)
    return ending.returncode  # the first process of a container survives what it does not handle


def _leave_no_core() -> None:
    """The command's core dump is the one that counts; ours would replace it."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
