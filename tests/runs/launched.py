"""Programs started with the guard before them and without it, in one project."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

PROGRAMS = Path(__file__).parents[1] / "data" / "programs"
PYTHON = sys.executable
GUARD = (PYTHON, "-m", "envstage", "run", "--view", "train")
TIMEOUT_S = 60
_OURS = ("environment", "envstage.yaml", ".envstage", "__pycache__")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that whoever starts a program can see of it."""

    status: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes]


class Launcher:
    """A project with a view, in which programs are started; `prefix` is the guard, or nothing."""

    def __init__(self, root: Path, prefix: Sequence[str] = ()) -> None:
        self.root = root
        self.prefix = prefix

    def command(self, argv: Sequence[str]) -> list[str]:
        return [*self.prefix, "--", *argv] if self.prefix else list(argv)

    def run(
        self,
        argv: Sequence[str],
        *,
        given: bytes | None = None,
        environ: Mapping[str, str] | None = None,
        until: str = "",
        **options: Any,
    ) -> Outcome:
        """Run a program to its end; `until` is a file that something else writes later."""
        process = subprocess.Popen(
            self.command(argv),
            cwd=self.root,
            env=environment(environ),
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        stdout, stderr = process.communicate(given, timeout=TIMEOUT_S)
        if until:
            wait_for(lambda: (self.root / until).exists())
        return Outcome(
            status=process.returncode, stdout=stdout, stderr=stderr, files=self.written()
        )

    @contextmanager
    def started(self, argv: Sequence[str], **options: Any) -> Iterator["Running"]:
        """A program that runs; it has written its pid into `pid.txt`."""
        process = subprocess.Popen(
            self.command(argv),
            cwd=self.root,
            env=environment(),
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            **options,
        )
        pid_file = self.root / "pid.txt"
        try:
            wait_for(lambda: pid_file.exists() or process.poll() is not None)
            yield Running(process, int(pid_file.read_text()))
        finally:
            process.kill()
            if pid_file.exists():
                with contextlib.suppress(OSError):
                    os.kill(int(pid_file.read_text()), signal.SIGKILL)
            process.communicate()
            self.written()

    def written(self) -> dict[str, bytes]:
        """The files that a program wrote, which are removed."""
        files = {}
        for path in sorted(self.root.rglob("*")):
            relative = path.relative_to(self.root)
            is_known = set(relative.parts) & set(_OURS) or (PROGRAMS / relative).exists()
            if path.is_file() and not is_known:
                files[str(relative)] = path.read_bytes()
                path.unlink()
        return files


class Running:
    """A program that runs: the process that was started, and the program's own pid."""

    def __init__(self, process: "subprocess.Popen[bytes]", pid: int) -> None:
        self.process = process
        self.pid = pid

    def end(self) -> tuple[int, bytes, bytes]:
        """Wait for the end: status and both streams."""
        stdout, stderr = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, stdout or b"", stderr or b""

    def heard(self) -> list[str]:
        """The signals that `signals.py` has received."""
        time.sleep(0.2)  # what comes twice, comes soon
        os.kill(self.pid, signal.SIGUSR1)
        status, stdout, stderr = self.end()
        assert (status, stderr) == (0, b"")
        return stdout.decode().split()


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, **(changes or {})}


def wait_for(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def make_project(root: Path) -> Path:
    """The programs in a project whose view describes this machine."""
    shutil.copytree(PROGRAMS, root, dirs_exist_ok=True)
    (root / "envstage.yaml").write_text("views: {train: {}}\n")
    done = subprocess.run(
        [PYTHON, "-m", "envstage", "capture"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return root
