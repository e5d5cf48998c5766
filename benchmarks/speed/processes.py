"""Whole processes, timed in turn: A B C A B C, so that a busy machine slows all of them alike."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# A command that takes longer than this is timed in fewer rounds.
_SLOW_S: Final = 4.0
_SLOW_ROUNDS: Final = 3


def inherited() -> dict[str, str]:
    """The caller's variables without Python's own: where PYTHONDONTWRITEBYTECODE is set, every
    start of every program would be timed with the compiling of its source."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command line as a person would type it, and what has to be so before each run."""

    name: str
    argv: Sequence[str]
    cwd: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[int], None] | None = None


@dataclass(frozen=True)
class Run:
    """One process and its children: seconds of wall and of processor time, peak memory."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Timed:
    """The runs of a command."""

    name: str
    runs: tuple[Run, ...]

    @property
    def wall_ms(self) -> float:
        """The median."""
        return statistics.median(run.wall_s for run in self.runs) * 1000

    @property
    def cpu_ms(self) -> float:
        """The median."""
        return statistics.median(run.cpu_s for run in self.runs) * 1000

    @property
    def peak_mb(self) -> float:
        """The largest of a single process."""
        return max(run.peak_mb for run in self.runs)

    def ratio_to(self, other: "Timed") -> float:
        """The median of the ratios of processor time, round by round."""
        pairs = zip(self.runs, other.runs, strict=False)
        return statistics.median(own.cpu_s / its.cpu_s for own, its in pairs)


def in_turn(commands: Sequence[Command], rounds: int) -> dict[str, Timed]:
    """Run all of them once to warm up, then round by round.

    Raises:
        SystemExit: a command failed, with what it said.
    """
    slow = {each.name for each in commands if _run(each, -1).wall_s > _SLOW_S}
    runs: dict[str, list[Run]] = {each.name: [] for each in commands}
    for number in range(rounds):
        for each in commands:
            if each.name not in slow or number < _SLOW_ROUNDS:
                runs[each.name].append(_run(each, number))
    return {name: Timed(name, tuple(found)) for name, found in runs.items()}


def _run(command: Command, number: int) -> Run:
    if command.before is not None:
        command.before(number)
    start = time.perf_counter()
    process = subprocess.Popen(
        list(command.argv),
        cwd=command.cwd,
        env={**inherited(), **command.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        text = output.decode("utf-8", "replace")[-2000:]
        raise SystemExit(f"{command.name}: {' '.join(command.argv)}\n{text}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
