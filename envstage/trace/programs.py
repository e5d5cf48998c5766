"""Programs started and heard out without `subprocess`, which costs 8 ms to load (POSIX)."""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IS_POSSIBLE = hasattr(os, "posix_spawn")
_CHUNK_BYTES = 1 << 16
_SIGKILL = 9


class Running:
    """A program at work, and the pipe that its standard output comes from."""

    def __init__(self, argv: "Sequence[str]", environ: "Mapping[str, str]", cwd: str) -> None:
        """Start it; `OSError` where that fails."""
        self._is_over = False
        self._descriptor, end = os.pipe()
        try:
            self._pid = _spawn(argv, environ, cwd, end)
        except OSError:
            os.close(self._descriptor)
            raise
        finally:
            os.close(end)

    def finish(self, timeout_s: float) -> "tuple[int, bytes] | None":
        """Its exit code (negative: the signal) and output; None: it takes longer than that."""
        import select

        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        deadline = time.monotonic() + timeout_s
        chunks = []
        while True:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return None
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
            if not chunk:
                break
            chunks.append(chunk)
        self._is_over = True
        os.close(self._descriptor)
        return _exit_code(self._pid), b"".join(chunks)

    def end(self) -> None:
        """Kill it if it is still there: nobody wants its answer any more."""
        if self._is_over:
            return
        os.close(self._descriptor)
        try:
            os.kill(self._pid, _SIGKILL)
        except ProcessLookupError:  # gone, with nobody to wait for it (see below)
            return
        _exit_code(self._pid)


def _exit_code(pid: int) -> int:
    """Wait for a program's end; 0, as `subprocess` has it, where whoever started us ignores the
    end of children (SIGCHLD), and so nobody can tell."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0


def _spawn(argv: "Sequence[str]", environ: "Mapping[str, str]", cwd: str, end: int) -> int:
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, end, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    here = os.getcwd()
    # posix_spawn knows no working directory.
    os.chdir(cwd)
    try:
        return os.posix_spawn(argv[0], list(argv), environ, file_actions=actions)
    finally:
        os.chdir(here)
