"""The one door to the outside world: files, commands, environment variables, clock.

Collectors ask a `World` and nothing else, so that a test can serve them another machine's
files (`tests/hosts.py`), truncated and denied ones among them.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    import subprocess

# Files that collectors read are small. A larger one is not what it seems to be.
READ_LIMIT_BYTES = 16 * 1024 * 1024


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished command left: exit code (negative: the signal) and both streams."""

    returncode: int
    stdout: bytes
    stderr: bytes


class TimedOut(Exception):
    """A command did not end in time and was killed."""


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
        with open(path, "rb") as file:
            return file.read(limit_bytes)

    def list_dir(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""
        return tuple(sorted(os.listdir(path)))

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return os.path.exists(path)

    def real_path(self, path: str) -> str:
        """The path with every symbolic link resolved."""
        return os.path.realpath(path)

    def size_bytes(self, path: str) -> int:
        """The size of a file."""
        return os.stat(path).st_size

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
        if sys.platform == "win32" or os.sep in program:
            import shutil

            return shutil.which(program, path=self._environ.get("PATH"))
        # shutil brings four compression libraries along: 6 ms.
        for folder in self._environ.get("PATH", os.defpath).split(os.pathsep):
            path = os.path.join(folder, program)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
        return None

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


class _Process:
    def __init__(self, process: "subprocess.Popen[bytes]", given: bytes = b"") -> None:
        self._process = process
        self._given = given

    def finish(self, timeout_s: float) -> Completed:
        import subprocess

        try:
            stdout, stderr = self._process.communicate(self._given or None, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._end()
            raise TimedOut(f"no answer within {timeout_s:g} s") from None
        except BaseException:  # Ctrl-C: nothing that was started is left running
            self._end()
            raise
        return Completed(returncode=self._process.returncode, stdout=stdout, stderr=stderr)

    def _end(self) -> None:
        self._process.kill()
        # A grandchild may hold the pipes open for ever; its output is of no use any more.
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._process.wait()
