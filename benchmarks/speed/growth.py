"""How costs grow: packages of the system, stages of a pipeline, views, files of a repository."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.speed.environments import Environment, run
from benchmarks.speed.processes import Command, in_turn
from envstage.facets import os_packages
from envstage.facets.contract import Request
from envstage.snapshot.model import Level
from envstage.world import READ_LIMIT_BYTES, Machine


@dataclass(frozen=True)
class Growth:
    """Milliseconds at growing sizes, and what is allowed at the last."""

    what: str
    sizes: tuple[int, ...]
    times_ms: tuple[float, ...]
    budget_ms: float

    def row(self) -> tuple[str, ...]:
        """A row of the table; linear means that the last step costs what the first did."""
        first = (self.times_ms[1] - self.times_ms[0]) / (self.sizes[1] - self.sizes[0])
        last = (self.times_ms[-1] - self.times_ms[-2]) / (self.sizes[-1] - self.sizes[-2])
        times = ", ".join(f"{time:.0f}" for time in self.times_ms)
        sizes = ", ".join(f"{size:,}" for size in self.sizes)
        slope = f"{last * 1000:.1f} ms per 1,000 ({last / first:.1f} x the first step)"
        verdict = "kept" if self.times_ms[-1] <= self.budget_ms else "MISSED"
        return (self.what, sizes, times, slope, f"{self.budget_ms:.0f} ms: {verdict}")


def all_of(environment: Environment, folder: Path, rounds: int) -> Iterator[Growth]:
    """Every kind of growth, each on its own."""
    yield _os_packages()
    yield _views(environment, folder / "views", rounds)
    yield _stages(environment, folder / "stages", rounds)
    yield _repository(environment, folder / "repository", rounds)


class _Debian(Machine):
    """This machine with another list of installed packages."""

    def __init__(self, count: int) -> None:
        super().__init__()
        entry = (
            "Package: made-{0}\nStatus: install ok installed\nPriority: optional\nSection: libs\n"
            "Maintainer: Nobody <nobody@example.org>\nArchitecture: amd64\nVersion: 1.{0}-1\n"
            "Depends: libc6 (>= 2.34)\nDescription: made for a benchmark\n It does nothing.\n\n"
        )
        self._status = "".join(entry.format(number) for number in range(count)).encode()

    def read(self, path: str, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        return self._status if path == "/var/lib/dpkg/status" else super().read(path, limit_bytes)

    def exists(self, path: str) -> bool:
        return path == "/var/lib/dpkg/status" or super().exists(path)


def _os_packages() -> Growth:
    sizes = (500, 1000, 5000)
    times = []
    for size in sizes:
        world, request = _Debian(size), Request(root="/", level=Level.HARDWARE)
        times.append(_best(partial(os_packages.collect, world, request)))
    return Growth("packages of the system, read in process", sizes, tuple(times), 60)


def _views(environment: Environment, folder: Path, rounds: int) -> Growth:
    sizes = (1, 50, 200)
    commands = []
    for size in sizes:
        root = _fresh(folder / str(size))
        names = "".join(f"  v{number}: {{}}\n" for number in range(size))
        text = f"views:\n{names}"

        def change(number: int, root: Path = root, text: str = text) -> None:
            (root / "envstage.yaml").write_text(f"{text}  other{number % 2}: {{}}\n")
            shutil.rmtree(root / "environment" / "views", ignore_errors=True)

        commands.append(_capture(environment, root, str(size), change))
    timed = in_turn(commands, rounds)
    times = tuple(timed[str(size)].cpu_ms for size in sizes)
    return Growth("views, all written anew", sizes, times, 2500)


def _stages(environment: Environment, folder: Path, rounds: int) -> Growth:
    sizes = (30, 100, 300)
    commands = []
    for size in sizes:
        root = _fresh(folder / str(size))
        stages = "".join(
            f"  s{number}:\n    cmd: python s.py {number}\n    outs: [o{number}]\n"
            for number in range(size)
        )
        (root / "dvc.yaml").write_text(f"stages:\n{stages}")
        run("git", "init", "-q", cwd=root)
        run(str(environment.bin / "dvc"), "init", "-q", cwd=root, environ=environment.environ)
        envstage = str(environment.bin / "envstage")
        run(envstage, "init", "dvc", "--yes", cwd=root, environ=environment.environ)
        names = [f"s{number}" for number in range(size)]
        argv = (envstage, "track", *names, "--dry-run")
        commands.append(Command(name=str(size), argv=argv, cwd=root, environ=environment.environ))
    timed = in_turn(commands, rounds)
    times = tuple(timed[str(size)].cpu_ms for size in sizes)
    return Growth("stages of a dvc.yaml, all tracked at once", sizes, times, 3000)


def _repository(environment: Environment, folder: Path, rounds: int) -> Growth:
    sizes = (1000, 10000, 100000)
    commands = []
    for size in sizes:
        root = _fresh(folder / str(size))
        (root / "envstage.yaml").write_text("views:\n  train: {}\n")
        for number in range(size):
            path = root / "data" / str(number // 500)
            path.mkdir(parents=True, exist_ok=True) if number % 500 == 0 else None
            (path / f"{number}.txt").write_text("x")
        run("git", "init", "-q", cwd=root)
        run("git", "add", "-A", cwd=root)
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "gc.auto=0")
        run("git", *identity, "commit", "-qm", "files", cwd=root)
        commands.append(_capture(environment, root, str(size)))
    time.sleep(2.5)
    timed = in_turn(commands, rounds)
    times = tuple(timed[str(size)].cpu_ms for size in sizes)
    return Growth("files of a repository, nothing changed", sizes, times, 400)


def _capture(
    environment: Environment, root: Path, name: str, before: Callable[[int], None] | None = None
) -> Command:
    argv = (str(environment.bin / "envstage"), "capture")
    return Command(name=name, argv=argv, cwd=root, environ=environment.environ, before=before)


def _fresh(root: Path) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    return root


def _best(call: Callable[[], object], rounds: int = 9) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append((time.process_time() - start) * 1000)
    return min(times)
