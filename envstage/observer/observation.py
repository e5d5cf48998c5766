"""What a run really used, read from the reports of its processes."""

import os
import select
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from envstage.observer.events import Report, read_reports
from envstage.observer.processes import (
    Process,
    doubts,
    finished,
    is_running,
    stopped_pids,
    unfinished,
)

HOOK: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hook")
VARIABLE: Final = "ENVSTAGE_OBSERVE"
WAIT_BETWEEN_S: Final = 0.01


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
    `multiprocessing`; not for daemons, which have left the session. Whether all have ended."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        there = [pid for pid in unfinished(read_reports(report_folder)) if is_running(pid)]
        left_s = deadline_s - time.monotonic()
        if not there or left_s <= 0 or not all(map(is_of_this_session, there)):
            return not there
        wait_for_an_end(there, left_s)


def is_of_this_session(pid: int) -> bool:
    """Whether a process is in our session: a daemon, which goes on living, has left it."""
    try:
        return os.getsid(pid) == os.getsid(0)
    except OSError:
        return True


def wait_for_an_end(pids: Sequence[int], timeout_s: float) -> None:
    """Wait until one of the processes ends; a moment where nobody can say when that is."""
    descriptors = []
    try:
        poll = select.poll()
        for pid in pids:
            descriptors.append(os.pidfd_open(pid))
            poll.register(descriptors[-1], select.POLLIN)
        poll.poll(timeout_s * 1000)
    except (AttributeError, OSError):  # not Linux, or an old one; or it has ended just now
        time.sleep(WAIT_BETWEEN_S)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


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
