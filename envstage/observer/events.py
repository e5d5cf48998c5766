"""The events of one process, as its report has them.

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
| `setting` | what was in effect at the end: its name, the kind of its value (`b`, `i`, `s`, `n`), \
the value; only where a receipt is wanted, behind `end`, and for receipts alone |
| `pool` | a pool of threads likewise: API, version, threads, architecture, file |

A process begins as `exec` (a program was started), `fork`, or `preexec` (forked only to become
another program: no end is expected of it).
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

FORMAT: Final = "1"
SUFFIX: Final = ".events"
REPORTS_AT_MOST: Final = 50_000
REPORT_LIMIT_BYTES: Final = 32 * 1024 * 1024
TOTAL_LIMIT_BYTES: Final = 512 * 1024 * 1024
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
    "setting": 3,
    "pool": 5,
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


def number(text: str) -> int:
    """A number of a report; -1 for garbage."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
