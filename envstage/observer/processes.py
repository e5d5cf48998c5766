"""The processes of a run, and every reason to doubt that they said everything."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from envstage.observer.events import FORMAT, Report, number

REASONS: Final[Mapping[str, str]] = {
    "isolated": "with -I, -E or -S, which keep the observer out",
    "cleared": "without the observer's variables",
    "elsewhere": "which runs programs where the observer does not reach",
}


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One Python process of the run. `why` says why it is not complete."""

    identity: str
    pid: int
    parent_pid: int
    parent: str = ""
    began: str = "exec"
    executable: str = ""
    prefix: str = ""
    version: str = ""
    program: str = ""
    why: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether it said everything up to its end."""
        return not self.why


def unfinished(reports: Iterable[Report]) -> tuple[int, ...]:
    """The pids of processes that have not said their end."""
    all_reports = tuple(reports)
    processes = [process_of(report) for report in all_reports]
    stopped = stopped_pids(all_reports)
    return tuple(
        process.pid
        for report, process in zip(all_reports, processes, strict=True)
        if process and not has_ended(report, process, stopped)
    )


def is_running(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except FileNotFoundError:
        if os.path.isdir("/proc/self"):
            return False
    except (OSError, IndexError):
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def stopped_pids(reports: Iterable[Report]) -> frozenset[int]:
    """Processes that another one looked at and killed."""
    return frozenset(number(pid) for report in reports for pid in report.values("stopped"))


def process_of(report: Report) -> Process | None:
    """The process that a report describes; nothing if it says none."""
    starts = report.all("start")
    if not starts:
        return None
    _, identity, pid, parent_pid, began, parent, executable, prefix, version, program = starts[0]
    return Process(
        identity=identity,
        pid=number(pid),
        parent_pid=number(parent_pid),
        began=began,
        parent=parent,
        executable=executable,
        prefix=prefix,
        version=version,
        program=program,
    )


def has_ended(report: Report, process: Process, stopped: frozenset[int]) -> bool:
    """Whether a process ended in a way that loses nothing."""
    if process.began == "preexec" or process.pid in stopped or report.all("end"):
        return True
    return bool(report.events) and report.events[-1][0] == "exec"


def finished(report: Report, stopped: frozenset[int]) -> Process | None:
    """The process of a report, with the reason why it is not complete."""
    process = process_of(report)
    if process is None:
        return None
    reasons = [*report.problems, *sorted(report.values("incomplete"))]
    if not has_ended(report, process, stopped):
        reasons.append("it did not report its end")
    if report.all("start")[0][0] != FORMAT:
        reasons.append("it was observed by another version of envstage")
    return msgspec.structs.replace(process, why="; ".join(reasons))


def doubts(reports: tuple[Report, ...], processes: tuple[Process, ...]) -> Iterator[str]:
    """Every reason why something may have been used unseen."""
    for process in processes:
        if process.why:
            yield f"{label(process)}: {process.why}"
    for report in reports:
        yield from doubts_without_start(report)
        for name, marks in (*report.all("spawn"), *report.all("exec")):
            for mark in marks.split(","):
                if mark in REASONS:
                    yield f"{name} was started, {REASONS[mark]}"
    yield from unreported(reports, processes)


def doubts_without_start(report: Report) -> Iterator[str]:
    """Reports that name no process, of Pythons too old among them."""
    for version in report.values("unsupported"):
        yield f"a Python {version} was started, which cannot be observed"
    if not report.all("start") and not report.all("unsupported"):
        for problem in report.problems or ("is empty",):
            yield f"a report {problem}" if report.name else problem


def label(process: Process) -> str:
    """How a process is called in a sentence: never by its arguments."""
    name = os.path.basename(process.program) or os.path.basename(process.executable) or "python"
    return f"process {process.pid} ({name})"


def unreported(reports: tuple[Report, ...], processes: tuple[Process, ...]) -> Iterator[str]:
    """Pythons that were started or forked and left no report at all."""
    children = Counter(process.parent_pid for process in processes if process.began == "exec")
    forks = Counter(process.parent for process in processes if process.began == "fork")
    runs = Counter(process.pid for process in processes if process.began == "exec")
    known = {process.pid for process in processes}
    unborn = len(stopped_pids(reports) - known)
    for report in reports:
        process = process_of(report)
        if process is None:
            continue
        if python_count(report, "spawn") > children[process.pid]:
            yield f"{label(process)} started a Python that never reported"
        if len(report.all("fork")) > forks[process.identity] + unborn:
            yield f"{label(process)} was forked, and the new process never reported"
        if became_python(report) and runs[process.pid] < 1 + (process.began == "exec"):
            yield f"{label(process)} became a Python that never reported"


def python_count(report: Report, kind: str) -> int:
    """How many Pythons a process started that should have reported."""
    return sum(marks == "python" for _, marks in report.all(kind))


def became_python(report: Report) -> bool:
    """Whether a process ended by becoming another Python that should have reported."""
    return (
        bool(report.events) and report.events[-1][0] == "exec" and report.events[-1][2] == "python"
    )
