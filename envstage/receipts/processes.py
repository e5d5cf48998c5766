"""The processes of a run as their reports have them, those that were alike together."""

import os
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from envstage.observer.events import Report, number
from envstage.observer.processes import finished, stopped_pids
from envstage.receipts.model import Pool, Process, Scalar

_TRUE: Final = "true"


def processes_of(reports: Sequence[Report]) -> tuple[Process, ...]:
    """What each Python process said at its end; the first that began comes first."""
    stopped = stopped_pids(reports)
    found: dict[bytes, Process] = {}
    for report in sorted(reports, key=_began):
        process = _process(report, stopped)
        if process is None:
            continue
        key = msgspec.json.encode(process)
        if key in found:
            process = msgspec.structs.replace(process, count=found[key].count + 1)
        found[key] = process
    return tuple(found.values())


def mapped(reports: Sequence[Report]) -> tuple[str, ...]:
    """The libraries that any process had mapped."""
    return tuple(sorted({path for report in reports for path in report.values("library")}))


def _began(report: Report) -> tuple[int, str]:
    # `<pid>-<clock><random>.events`: the clock orders processes better than the pid.
    pid, _, rest = report.name.partition("-")
    return (number(pid), rest)


def _process(report: Report, stopped: frozenset[int]) -> Process | None:
    said = finished(report, stopped)
    if said is None or said.began == "preexec":
        return None
    program = os.path.basename(said.program) or os.path.basename(said.executable) or "python"
    return Process(
        program=program,
        python=said.version,
        settings=dict(sorted(_settings(report))),
        pools=tuple(sorted(_pools(report), key=msgspec.json.encode)),
        unseen=said.why or _silence(report),
    )


def _silence(report: Report) -> str:
    """Why a process that ended well says nothing of what was in effect."""
    if any(event[0] in ("setting", "pool") for event in report.events):
        return ""
    if report.events and report.events[-1][0] == "exec":
        return "it became another program"
    return "it was ended by another process, which saw its libraries only"


def _settings(report: Report) -> Iterator[tuple[str, Scalar]]:
    for name, kind, text in report.all("setting"):
        if kind == "b":
            yield name, text == _TRUE
        elif kind == "i":
            # JSON readers keep 53 bits of a number: a larger seed is a text.
            value = int(text) if text.lstrip("-").isdigit() and len(text) < 30 else 0
            yield name, value if abs(value) < 2**53 else text
        else:
            yield name, None if kind == "n" else text


def _pools(report: Report) -> Iterator[Pool]:
    for api, version, threads, architecture, path in set(report.all("pool")):
        yield Pool(
            api=api,
            version=version or None,
            threads=max(number(threads), 0),
            architecture=architecture or None,
            path=path or None,
        )
