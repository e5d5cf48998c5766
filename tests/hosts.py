"""Captured hosts: another machine's files and command outputs, served through `World`.

A host is a folder in `tests/data/hosts/<os>-<what>/`:

- `host.json`: `environ`, `platform`, `machine`, `kernel`, `cpu_count`, `commands` (the command
  line → `returncode`, `stdout`, `stderr`, or `timeout: true`), `which`, `denied` (paths that
  answer "permission denied");
- `files/`: the files, by absolute path.

A file that is not recorded is absent. A command that is not recorded fails the test: nobody
knows what that machine would have said.
"""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envstage.world import READ_LIMIT_BYTES, Completed, TimedOut

HOSTS = Path(__file__).parent / "data" / "hosts"


class Recorded:
    """A program that was started: it ends as it was recorded to."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer

    def finish(self, timeout_s: float) -> Completed:
        if self._answer.get("timeout"):
            raise TimedOut(f"no answer within {timeout_s:g} s")
        return Completed(
            returncode=self._answer.get("returncode", 0),
            stdout=self._answer.get("stdout", "").encode(),
            stderr=self._answer.get("stderr", "").encode(),
        )


class CapturedHost:
    """A `World` that answers from a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        kernel: str | None = None,
    ) -> None:
        self.folder = folder
        self._host = json.loads((folder / "host.json").read_text(encoding="utf-8"))
        self._environ = dict(self._host.get("environ", {})) | dict(environ or {})
        self._kernel = kernel

    @property
    def environ(self) -> Mapping[str, str]:
        return self._environ

    @property
    def platform(self) -> str:
        return str(self._host.get("platform", "linux"))

    def _local(self, path: str) -> Path:
        for denied in self._host.get("denied", ()):
            if path == denied or path.startswith(denied + "/"):
                raise PermissionError(13, "Permission denied", path)
        return self.folder / "files" / path.lstrip("/")

    def read(self, path: str, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        try:
            return self._local(path).read_bytes()[:limit_bytes]
        except FileNotFoundError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def list_dir(self, path: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(self._local(path))))
        except FileNotFoundError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def exists(self, path: str) -> bool:
        try:
            return self._local(path).exists()
        except PermissionError:
            return False

    def real_path(self, path: str) -> str:
        root = self.folder / "files"
        resolved = self._local(path).resolve()
        return "/" + str(resolved.relative_to(root.resolve()))

    def size_bytes(self, path: str) -> int:
        return len(self.read(path))

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        environ: Mapping[str, str] | None = None,
        given: bytes = b"",
    ) -> Completed:
        return Recorded(self._answer(argv)).finish(timeout_s)

    def start(self, argv: Sequence[str], *, cwd: str | None = None) -> Recorded:
        return Recorded(self._answer(argv))

    def _answer(self, argv: Sequence[str]) -> Mapping[str, Any]:
        line = shlex.join(argv)
        commands = self._host.get("commands", {})
        if line in commands:
            answer: Mapping[str, Any] = commands[line]
            return answer
        if self.which(argv[0]) is None and not self.exists(argv[0]):
            raise FileNotFoundError(2, "No such file or directory", argv[0])
        raise AssertionError(f"{self.folder.name}: nobody recorded `{line}`")

    def which(self, program: str) -> str | None:
        found = self._host.get("which", {}).get(program)
        return None if found is None else str(found)

    def witness(self, kind: str, subject: str, answer: str | None) -> None:
        """Nobody traces a captured host."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nobody waits for a captured host."""

    def cpu_count(self) -> int:
        return int(self._host.get("cpu_count", 1))

    def machine(self) -> str:
        return str(self._host.get("machine", "x86_64"))

    def kernel(self) -> str:
        return self._kernel or str(self._host.get("kernel", ""))

    def time_ns(self) -> int:
        return 1_700_000_000_000_000_000


def host(name: str, **changes: str) -> CapturedHost:
    """The captured host of that name."""
    return CapturedHost(HOSTS / name, kernel=changes.get("kernel"))
