"""A machine that serves whatever bytes somebody made up, for every file that is asked for."""

from collections.abc import Mapping, Sequence

from envstage.world import READ_LIMIT_BYTES, Completed


class Answering:
    """A `World` of a few files; every program answers with the same bytes."""

    def __init__(self, files: Mapping[str, bytes], *, output: bytes = b"", **environ: str) -> None:
        self._files = dict(files)
        self._output = output
        self.environ: Mapping[str, str] = {"PATH": "/bin"} | environ
        self.platform = "linux"

    def read(self, path: str, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        if "\0" in path:
            raise OSError(22, "Invalid argument", path)
        if path not in self._files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self._files[path][:limit_bytes]

    def list_dir(self, path: str) -> tuple[str, ...]:
        if "\0" in path:
            raise OSError(22, "Invalid argument")
        start = path.rstrip("/") + "/"
        names = {each[len(start) :].split("/")[0] for each in self._files if each.startswith(start)}
        if not names:
            raise FileNotFoundError(2, "No such file or directory", path)
        return tuple(sorted(names))

    def exists(self, path: str) -> bool:
        return path in self._files

    def real_path(self, path: str) -> str:
        if "\0" in path:
            raise OSError(22, "Invalid argument")
        return path

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
        if any("\0" in word for word in argv):
            raise OSError(22, "Invalid argument")
        return Completed(returncode=0, stdout=self._output, stderr=b"")

    def start(self, argv: Sequence[str], *, cwd: str | None = None) -> "Ended":
        return Ended(self._output)

    def witness(self, kind: str, subject: str, answer: str | None) -> None:
        pass

    def progress(self, what: str, done: int, total: int) -> None:
        pass

    def which(self, program: str) -> str | None:
        return f"/bin/{program}"

    def cpu_count(self) -> int:
        return 2

    def machine(self) -> str:
        return "x86_64"

    def kernel(self) -> str:
        return "6.1.0"

    def time_ns(self) -> int:
        return 1_700_000_000_000_000_000


class Ended:
    """A program that has said its bytes."""

    def __init__(self, output: bytes, returncode: int = 0) -> None:
        self._done = Completed(returncode=returncode, stdout=output, stderr=output)

    def finish(self, timeout_s: float) -> Completed:
        return self._done
