"""The one door to the outside world: files, commands, environment variables, clock.

Collectors ask a `World` and nothing else, so that a test can serve them another machine's
files (`tests/hosts.py`), truncated and denied ones among them.
"""

import errno
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from envstage.trace import questions

if TYPE_CHECKING:
    import subprocess

# Files that collectors read are small. A larger one is not what it seems to be.
READ_LIMIT_BYTES = 16 * 1024 * 1024
# The answer of a probe of 5,000 distributions is 5 MB.
OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished command left: exit code (negative: the signal) and both streams."""

    returncode: int
    stdout: bytes
    stderr: bytes


class TimedOut(Exception):
    """A command did not end in time and was killed."""


class Endless(TimedOut):
    """A command answered more than anybody asked for, and was killed."""


class Started(Protocol):
    """A program that is running."""

    def finish(self, timeout_s: float) -> Completed:
        """Wait for its end; `TimedOut` (and it is killed) where that takes too long."""


class World(Protocol):
    """What a collector may ask of the machine. Paths are absolute; errors are `OSError`."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables that a stage's command would inherit."""

    @property
    def platform(self) -> str:
        """`sys.platform` of the machine: `linux`, `darwin`, `win32`."""

    def read(self, path: str, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        """The content of a file, at most `limit_bytes` of it."""

    def list_dir(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there (links followed)."""

    def real_path(self, path: str) -> str:
        """The path with every symbolic link resolved."""

    def size_bytes(self, path: str) -> int:
        """The size of a file (links followed)."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        environ: Mapping[str, str] | None = None,
        given: bytes = b"",
    ) -> Completed:
        """Run a program to its end, without a shell, with `given` on its standard input.

        Raises:
            OSError: it cannot be started.
            TimedOut: it took longer than `timeout_s` and was killed.
        """

    def start(self, argv: Sequence[str], *, cwd: str | None = None) -> "Started":
        """Start a program that works while the caller does; same errors as `run`."""

    def which(self, program: str) -> str | None:
        """The path of the executable that a shell would start for `program`."""

    def cpu_count(self) -> int:
        """The logical processors that this process may run on (affinity, not quota)."""

    def machine(self) -> str:
        """The architecture as `uname -m` has it: `x86_64`, `aarch64`, `arm64`, `AMD64`."""

    def kernel(self) -> str:
        """The kernel's release as `uname -r` has it."""

    def time_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""

    def witness(self, kind: str, subject: str, answer: str | None) -> None:
        """Hear of a question that was asked past this door, for a trace (`envstage.trace`).

        None for the answer: the question cannot be asked again as cheaply.
        """

    def progress(self, what: str, done: int, total: int) -> None:
        """Tell whoever waits how far something long is."""


class Machine:
    """The machine that this process runs on."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables of this process, or those given."""
        return self._environ

    @property
    def platform(self) -> str:
        """`sys.platform`."""
        return sys.platform

    def read(self, path: str, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        """The content of a file, at most `limit_bytes` of it."""
        with open(_path(path), "rb") as file:
            return file.read(limit_bytes)

    def list_dir(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""
        return tuple(sorted(os.listdir(_path(path))))

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return os.path.exists(path)

    def real_path(self, path: str) -> str:
        """The path with every symbolic link resolved."""
        return os.path.realpath(_path(path))

    def size_bytes(self, path: str) -> int:
        """The size of a file."""
        return os.stat(_path(path)).st_size

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        environ: Mapping[str, str] | None = None,
        given: bytes = b"",
    ) -> Completed:
        """Run a program to its end (see `World.run`)."""
        import subprocess  # only where a program is started: 8 ms of start-up

        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self._environ if environ is None else environ),
        )
        return _Process(process, given).finish(timeout_s)

    def start(self, argv: Sequence[str], *, cwd: str | None = None) -> Started:
        """Start a program that works while the caller does."""
        import subprocess

        return _Process(
            subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(self._environ),
                cwd=cwd,
            )
        )

    def which(self, program: str) -> str | None:
        """The path of the executable that a shell would start for `program`."""
        if sys.platform == "win32":
            import shutil

            return shutil.which(program, path=self._environ.get("PATH"))
        return questions.program(self._environ, program) or None

    def cpu_count(self) -> int:
        """The logical processors that this process may run on."""
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    def machine(self) -> str:
        """The architecture as `uname -m` has it."""
        if hasattr(os, "uname"):
            return os.uname().machine
        return self._environ.get("PROCESSOR_ARCHITECTURE", "")

    def kernel(self) -> str:
        """The kernel's release."""
        if hasattr(os, "uname"):
            return os.uname().release
        return str(getattr(sys, "getwindowsversion", lambda: "")())

    def time_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        return time.time_ns()

    def witness(self, kind: str, subject: str, answer: str | None) -> None:
        """Nobody traces this (see `World.witness`)."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nobody waits."""


def _path(path: str) -> str:
    """A path that can be one: for NUL in it, Python has a ValueError."""
    if "\0" in path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    return path


class _Process:
    def __init__(self, process: "subprocess.Popen[bytes]", given: bytes = b"") -> None:
        self._process = process
        self._given = given

    def finish(self, timeout_s: float) -> Completed:
        import subprocess

        process = self._process
        try:
            if self._given or os.name == "nt":
                stdout, stderr = process.communicate(self._given or None, timeout=timeout_s)
            else:
                stdout, stderr = self._heard(time.monotonic() + timeout_s)
        except subprocess.TimeoutExpired:
            self._end()
            raise TimedOut(f"no answer within {timeout_s:g} s") from None
        except BaseException:  # Ctrl-C: nothing that was started is left running
            self._end()
            raise
        return Completed(returncode=process.returncode, stdout=stdout, stderr=stderr)

    def _heard(self, deadline: float) -> tuple[bytes, bytes]:
        """Both streams to their end, as `communicate` has them, but not without measure."""
        import selectors
        import subprocess

        process = self._process
        streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
        heard: dict[int, list[bytes]] = {stream.fileno(): [] for stream in streams}
        left = OUTPUT_LIMIT_BYTES
        with selectors.DefaultSelector() as selector:
            for stream in streams:
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise subprocess.TimeoutExpired(process.args, 0)
                for key, _ in ready:
                    chunk = os.read(key.fd, _CHUNK_BYTES)
                    heard[key.fd].append(chunk)
                    left -= len(chunk)
                    if not chunk:
                        selector.unregister(key.fileobj)
                if left < 0:
                    raise Endless("its answer has no end")
        process.wait(max(0.0, deadline - time.monotonic()))
        for stream in streams:
            stream.close()
        stdout, stderr = (b"".join(chunks) for chunks in heard.values())
        return stdout, stderr

    def _end(self) -> None:
        self._process.kill()
        # A grandchild may hold the pipes open for ever; its output is of no use any more.
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._process.wait()
