"""What a run really used, read from the reports of its processes.

Events of one report, a line each, fields separated by tabs (backslash escapes):

| event | fields |
| --- | --- |
| `start` | format, identity, pid, parent's pid, how it began, parent's identity, \
executable, prefix, version, argv[0] |
| `module` | the file of a module, Python or extension, outside the standard library |
| `asker` | a name that is looked up, the file of the code that asks |
| `found` | a name looked up at the top level or in a namespace package, its origin |
| `missing` | such a name that no finder found |
| `preloaded` | a module that was loaded before the program began, its file |
| `metadata` | the `.dist-info` or `.egg-info` of which a file was read |
| `distribution` | a name that was asked for, installed or not |
| `enumeration` | which function went through all distributions |
| `entry_points` | a group, or `*` |
| `listing` | a folder of a namespace package that was listed |
| `provider` | a module's name of which the distribution was asked, or `*` |
| `dlopen` | a library asked for through ctypes |
| `library`, `gpu` | a mapped file; a GPU library or device in use |
| `spawn`, `exec` | a program started, or become; its marks (see `started`) |
| `fork` | a process was forked here |
| `stopped` | the pid of a process that this one killed, having looked at it |
| `incomplete`, `unsupported` | why the report cannot be whole |
| `unseen` | what cannot be seen on this platform |
| `end` | the process ended and said so |

A process begins as `exec` (a program was started), `fork`, or `preexec` (forked only to become
another program: no end is expected of it).
"""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

HOOK: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hook")
VARIABLE: Final = "ENVSTAGE_OBSERVE"
FORMAT: Final = "1"
SUFFIX: Final = ".events"
REPORTS_AT_MOST: Final = 50_000
REPORT_LIMIT_BYTES: Final = 32 * 1024 * 1024
TOTAL_LIMIT_BYTES: Final = 512 * 1024 * 1024
WAIT_BETWEEN_S: Final = 0.01
START_FIELDS: Final = 10
# How many fields each event has; `None` where there may be any number.
FIELDS: Final[Mapping[str, int]] = {
    "start": START_FIELDS,
    "module": 1,
    "asker": 2,
    "found": 2,
    "missing": 1,
    "preloaded": 2,
    "metadata": 1,
    "distribution": 1,
    "enumeration": 1,
    "entry_points": 1,
    "provider": 1,
    "listing": 1,
    "dlopen": 1,
    "library": 1,
    "gpu": 1,
    "spawn": 2,
    "exec": 2,
    "fork": 0,
    "stopped": 1,
    "incomplete": 1,
    "unsupported": 1,
    "unseen": 1,
    "end": 0,
}
REASONS: Final[Mapping[str, str]] = {
    "isolated": "with -I, -E or -S, which keep the observer out",
    "cleared": "without the observer's variables",
    "elsewhere": "which runs programs where the observer does not reach",
}

Event = tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one process, and what is wrong with its file."""

    name: str
    events: tuple[Event, ...] = ()
    problems: tuple[str, ...] = ()

    def all(self, kind: str) -> tuple[Event, ...]:
        """The fields of each event of one kind."""
        return tuple(event[1:] for event in self.events if event[0] == kind)

    def values(self, kind: str) -> frozenset[str]:
        """The first fields of each event of one kind."""
        return frozenset(event[1] for event in self.events if event[0] == kind)


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


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes of a run used, together. Everything is sorted, nothing is twice.

    Attributes:
        files: modules outside the standard library, by file, the stage's own code among them.
        askers: names that were looked up, with the file whose code asked.
        found: names looked up at the top level and in namespace packages, with their origins;
            some were looked up only to know whether they are there.
        missing: such names that were not found.
        preloaded: modules that `.pth` files loaded, with their files; used by the program only
            where the file is also in `files`.
        metadata: paths of `.dist-info` and `.egg-info` of which files were read.
        distributions: names that the program asked `importlib.metadata` and its kin for.
        enumerations: functions that went through every distribution.
        entry_point_groups: groups queried; `*` for all of them.
        providers: modules of which the program asked who provides them; `*` for all.
        listings: folders of namespace packages that were listed, as hosts of plugins do.
        libraries: shared libraries that were mapped.
        asked_libraries: names given to ctypes, found or not.
        gpu: GPU libraries mapped and devices open.
        programs: the names of programs other than Python that were started.
        unseen: what this platform does not show.
        began_s: when the run began (`time.time()`); 0 where nobody said.
        doubts: why something may have been used unseen; empty if the observation is complete.
    """

    processes: tuple[Process, ...] = ()
    files: tuple[str, ...] = ()
    askers: tuple[tuple[str, str], ...] = ()
    found: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    preloaded: tuple[tuple[str, str], ...] = ()
    metadata: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    enumerations: tuple[str, ...] = ()
    entry_point_groups: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    listings: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    asked_libraries: tuple[str, ...] = ()
    gpu: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    began_s: float = 0.0
    doubts: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing can have been used unseen."""
        return not self.doubts

    @property
    def uses_gpu(self) -> bool:
        """Whether a process had a GPU library mapped or a device open."""
        return bool(self.gpu)


def environ_for(report_folder: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a command is observed into a folder that exists.

    Raises:
        ValueError: envstage lies at a path that PYTHONPATH cannot express.
    """
    if os.pathsep in HOOK:
        raise ValueError(f"PYTHONPATH cannot hold {HOOK!r}")
    result = dict(environ)
    existing = result.get("PYTHONPATH", "")
    kept = [entry for entry in existing.split(os.pathsep) if entry != HOOK]
    # An empty entry means the current folder, so only a wholly empty value adds nothing.
    result["PYTHONPATH"] = os.pathsep.join([HOOK, *kept] if any(kept) else [HOOK])
    result[VARIABLE] = os.path.abspath(report_folder)
    return result


def observe(report_folder: str) -> Observation:
    """Read the reports of a run that has ended."""
    return combine(read_reports(report_folder))


def wait_for_stragglers(report_folder: str, timeout_s: float) -> bool:
    """Wait for processes that outlive the command by moments, such as the resource tracker of
    `multiprocessing`. Whether all that began have ended or are gone."""
    deadline = time.monotonic() + timeout_s
    while any(is_running(pid) for pid in unfinished(read_reports(report_folder))):
        if time.monotonic() >= deadline:
            return False
        time.sleep(WAIT_BETWEEN_S)
    return True


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


def read_reports(report_folder: str) -> tuple[Report, ...]:
    """The reports in a folder, by name. What cannot be read becomes a problem of its report."""
    try:
        names = sorted(name for name in os.listdir(report_folder) if name.endswith(SUFFIX))
    except OSError as error:
        return (Report(name="", problems=(f"the reports cannot be read: {error.strerror}",)),)
    problems = (f"more than {REPORTS_AT_MOST} processes",) if len(names) > REPORTS_AT_MOST else ()
    reports = tuple(read_all(report_folder, names[:REPORTS_AT_MOST]))
    return (*reports, Report(name="", problems=problems)) if problems else reports


def read_all(report_folder: str, names: Iterable[str]) -> Iterator[Report]:
    """Read reports one by one, up to a total size."""
    total = 0
    for name in names:
        try:
            with open(os.path.join(report_folder, name), "rb") as file:
                content = file.read(REPORT_LIMIT_BYTES + 1)
        except OSError as error:
            yield Report(name=name, problems=(f"cannot be read: {error.strerror}",))
            continue
        total += len(content)
        if len(content) > REPORT_LIMIT_BYTES or total > TOTAL_LIMIT_BYTES:
            yield Report(name=name, problems=("is too large",))
        else:
            yield parse(name, content.decode("utf-8", "surrogateescape"))


def parse(name: str, text: str) -> Report:
    """One report from its text. A torn last line is left out: it then lacks its `end`."""
    lines = text.split("\n")[:-1]
    events = []
    strange = 0
    for line in lines:
        event = tuple(unescape(field) for field in line.split("\t"))
        if FIELDS.get(event[0]) == len(event) - 1:
            events.append(event)
        else:
            strange += 1
    problems = (f"{strange} lines that no observer writes",) if strange else ()
    return Report(name=name, events=tuple(events), problems=problems)


def unescape(field: str) -> str:
    """The text of a field."""
    if "\\" not in field:
        return field
    meanings = {"t": "\t", "n": "\n", "r": "\r"}
    parts = iter(field)
    return "".join(
        meanings.get(following := next(parts, ""), following) if part == "\\" else part
        for part in parts
    )


def combine(reports: Iterable[Report]) -> Observation:
    """The union of what the processes used, with every reason for doubt."""
    all_reports = tuple(reports)
    stopped = stopped_pids(all_reports)
    processes = tuple(finished(report, stopped) for report in all_reports)
    known = tuple(process for process in processes if process)
    return Observation(
        processes=tuple(sorted(known, key=lambda process: (process.pid, process.identity))),
        files=union(all_reports, "module"),
        askers=pairs(all_reports, "asker"),
        found=pairs(all_reports, "found"),
        missing=tuple(sorted(frozenset[str]().union(*map(missing_names, all_reports)))),
        preloaded=pairs(all_reports, "preloaded"),
        metadata=union(all_reports, "metadata"),
        distributions=union(all_reports, "distribution"),
        enumerations=union(all_reports, "enumeration"),
        entry_point_groups=union(all_reports, "entry_points"),
        providers=union(all_reports, "provider"),
        listings=union(all_reports, "listing"),
        libraries=union(all_reports, "library"),
        asked_libraries=union(all_reports, "dlopen"),
        gpu=union(all_reports, "gpu"),
        programs=tuple(sorted(frozenset[str]().union(*map(programs_started, all_reports)))),
        unseen=union(all_reports, "unseen"),
        doubts=tuple(sorted(set(doubts(all_reports, known)))),
    )


def union(reports: Iterable[Report], kind: str) -> tuple[str, ...]:
    """The first fields of all events of a kind."""
    return tuple(sorted(frozenset[str]().union(*(report.values(kind) for report in reports))))


def pairs(reports: Iterable[Report], kind: str) -> tuple[tuple[str, str], ...]:
    """The first two fields of all events of a kind."""
    return tuple(sorted({(event[0], event[1]) for report in reports for event in report.all(kind)}))


def missing_names(report: Report) -> frozenset[str]:
    """Names that a process did not find, and did not find later either."""
    return report.values("missing") - report.values("found")


def programs_started(report: Report) -> frozenset[str]:
    """Programs other than Python that a process started or became."""
    return frozenset(
        name
        for name, marks in (*report.all("spawn"), *report.all("exec"))
        if "python" not in marks.split(",")
    )


def stopped_pids(reports: Iterable[Report]) -> frozenset[int]:
    """Processes that another one looked at and killed."""
    return frozenset(number(pid) for report in reports for pid in report.values("stopped"))


def number(text: str) -> int:
    """A number of a report; -1 for garbage."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


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
