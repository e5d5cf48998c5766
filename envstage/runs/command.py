"""Start a command so that it cannot tell: streams, terminal, directory, signals, exit code.

It is a child of this process, in the same process group, session and directory, with the same
limits and every descriptor that this process inherited; what Python changed at its own start is
put back (see `inherited`).
"""

import errno
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from envstage.errors import RefusedError
from envstage.runs.ending import Ending
from envstage.runs.inherited import ignored_signals, inherited_environ, with_program

_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_PR_SET_PDEATHSIG: Final = 1
_SHELL: Final = "/bin/sh"


def run_command(argv: Sequence[str], environ: Mapping[str, str]) -> Ending:
    """Run a command to its end.

    Raises:
        RefusedError: it cannot be started.
    """
    if os.name != "posix":
        return _run_elsewhere(argv, environ)
    from envstage.runs.signals import held_back, wait_for

    environ, ignored = inherited_environ(environ), ignored_signals()
    with held_back() as mask:
        try:
            child = _start(argv, environ, ignored, mask)
        except OSError as error:  # too many processes or descriptors
            raise _not_started(argv[0], error.errno or 0) from None
        status = wait_for(child)
    if os.WIFSIGNALED(status):
        return Ending(signal=os.WTERMSIG(status))
    return Ending(code=os.WEXITSTATUS(status))


def _start(
    argv: Sequence[str], environ: Mapping[str, str], ignored: frozenset[int], mask: set[int]
) -> int:
    """Start it; its process id. A failure to do so comes through a pipe, which `exec` closes."""
    die_with_parent = _death_with_parent()
    reading, writing = os.pipe()
    pid = _fork()
    if pid == 0:
        try:
            die_with_parent()
            _put_back(ignored, mask)
            _become(argv, environ)
        except OSError as error:
            os.write(writing, str(error.errno or 0).encode())
        finally:
            os._exit(_NOT_FOUND)
    os.close(writing)
    with open(reading, "rb") as file:
        failure = file.read()
    if failure:
        os.waitpid(pid, 0)
        raise _not_started(argv[0], int(failure))
    return pid


def _fork() -> int:
    import warnings

    with warnings.catch_warnings():
        # Of threads, which a library may have left (NVML's): the child does nothing but `exec`.
        warnings.simplefilter("ignore")
        return os.fork()


def _put_back(ignored: frozenset[int], mask: set[int]) -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        handler = signal.SIG_IGN if number in ignored else signal.SIG_DFL
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _become(argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become the program, found as a shell finds it: what has no `#!` line is a shell's script."""
    failure = OSError(errno.ENOENT, "")
    for path in _candidates(argv[0], environ):
        try:
            os.execve(path, list(argv), with_program(environ, path))
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                os.execve(_SHELL, [_SHELL, path, *argv[1:]], with_program(environ, path))
            # One that may not be started says more than the folders in which there is none.
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                failure = error
    raise failure


def _candidates(program: str, environ: Mapping[str, str]) -> list[str]:
    if os.sep in program:
        return [program]
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    return [os.path.join(folder or os.curdir, program) for folder in folders]


def _death_with_parent() -> Callable[[], None]:
    """What a child calls so that SIGKILL to this process, which cannot be passed on, ends it."""
    parent = os.getpid()
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # only Linux has it
        return lambda: None

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(_NOT_FOUND)

    return ask


def _run_elsewhere(argv: Sequence[str], environ: Mapping[str, str]) -> Ending:
    """Without signals and process groups (Windows)."""
    import subprocess

    try:
        return Ending(code=subprocess.call(list(argv), env=dict(environ), close_fds=False))
    except OSError as error:
        raise _not_started(argv[0], error.errno or 0) from None


def _not_started(program: str, number: int) -> RefusedError:
    is_absent = number in (errno.ENOENT, errno.ENOTDIR, 0)
    why = "there is no such program" if is_absent else os.strerror(number)
    error = RefusedError(f"`{os.path.basename(program)}` cannot be started: {why}")
    error.exit_code = _NOT_FOUND if is_absent else _NOT_EXECUTABLE
    return error
