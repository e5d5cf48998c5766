"""Wait for a child as if the guard was not between it and whoever started it.

While the child runs, every signal is blocked here and taken one by one (`sigwaitinfo`): nothing
is lost, nothing is polled (but where a library has started threads in this process). A signal
meant for the command is passed on, once. Not passed on is

* what the terminal sends to its foreground processes (Ctrl-C, Ctrl-Z, a new window size): the
  child is one of them, and has it already;
* what the command itself sends to its process group (`kill 0`).

A stop of the child for job control stops this process as well, so that the shell sees it.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from envstage.runs.process import is_below, state_of

_SI_KERNEL: Final = 0x80
# These stop or end this process whatever it wants, or say that its own code is broken.
_NOT_WAITED_FOR: Final = frozenset(
    getattr(signal, name)
    for name in ("SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS")
    if hasattr(signal, name)
)
_OF_TERMINAL: Final = frozenset(
    {signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH}
)
# How often a process with several threads looks whether the child has ended.
_LOOK_S: Final = 0.1
_STOPPING: Final = frozenset({signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})


@contextmanager
def held_back() -> Iterator[set[int]]:
    """Block every signal that can be; gives the mask as it was, which is put back at the end."""
    waited_for = signal.valid_signals() - _NOT_WAITED_FOR
    ignored_child = signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    if ignored_child:  # the end of a child that nobody waits for cannot be waited for
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    try:
        yield {int(number) for number in mask}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if ignored_child:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def wait_for(child: int) -> int:
    """Wait for the end of a child, signals held back; its status as `waitpid` gives it."""
    waited_for = signal.valid_signals() - _NOT_WAITED_FOR
    while True:
        number, is_for_child = _next(waited_for, child)
        if number != signal.SIGCHLD:
            if is_for_child:
                os.kill(child, number)
            continue
        status = _status(child)
        if status is None:
            continue
        if not os.WIFSTOPPED(status):
            return status
        if os.WSTOPSIG(status) in _STOPPING:
            _stop_too(child, os.WSTOPSIG(status))


def _next(waited_for: set[signal.Signals], child: int) -> tuple[int, bool]:
    """The next signal, and whether it has to be passed on to the child."""
    if not hasattr(signal, "sigwaitinfo"):  # macOS: who sent a signal cannot be told
        number = int(signal.sigwait(waited_for))
        return number, not (number in _OF_TERMINAL and _is_in_foreground())
    info: signal.struct_siginfo | None
    if _has_threads():
        # A library's thread (NVML's) may have been handed the signal, and nobody hears of it.
        info = signal.sigtimedwait(waited_for, _LOOK_S)
    else:
        info = signal.sigwaitinfo(waited_for)
    if info is None:
        return signal.SIGCHLD, False
    if info.si_code == _SI_KERNEL:
        # A timer that was set before this program was started counts on through `exec`.
        return info.si_signo, info.si_signo == signal.SIGALRM
    return info.si_signo, info.si_code <= 0 and not is_below(info.si_pid, os.getpid())


def _has_threads() -> bool:
    try:
        return len(os.listdir("/proc/self/task")) > 1
    except OSError:
        return True


def _is_in_foreground() -> bool:
    for descriptor in (0, 1, 2):
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            continue
    return False


def _status(child: int) -> int | None:
    pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
    return status if pid else None


def _stop_too(child: int, number: int) -> None:
    """Stop as the child did; when somebody lets this process continue, so does the child."""
    os.kill(os.getpid(), number)  # once, also where the terminal has sent it already
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})  # here it stops
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    if hasattr(signal, "sigtimedwait"):
        signal.sigtimedwait({signal.SIGCONT}, 0)  # what made this process continue
    # A shell lets the whole group continue: the child then runs already.
    if state_of(child) in ("T", None):
        os.kill(child, signal.SIGCONT)
