"""Whether what envstage selects is what was used: equal, broader for a reason, wide, or wrong.

envstage is meant to be broader than `sys.modules` in three ways, each of which lets a package
act without standing there at the end: its metadata was read, its name was found (whoever asks
whether a package is there acts on the answer), or it was loaded and taken out again.
"""

import enum
import os
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from benchmarks.observing.cases import Case
from benchmarks.observing.guarded import Seen
from benchmarks.observing.truth import Owners, Truth

ASKED: Final = "asked for by name (version, metadata)"
GONE: Final = "loaded, gone from sys.modules at the end"
FOUND: Final = "looked up and found, not loaded"


class Verdict(enum.Enum):
    """The outcome for one script."""

    EQUAL = "equal"
    BROADER = "broader"
    WIDE = "wide"
    WRONG = "WRONG"
    FAILED = "FAILED"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: packages used (by the truth), selected, installed."""

    case: Case
    verdict: Verdict
    used: int
    selected: int
    installed: int
    why: str = ""


def judge(case: Case, seen: Seen, truth: Truth, owners: Owners) -> Row:
    """Compare what envstage selects with what was used."""
    installed = owners.names
    if seen.returncode:
        return _row(case, Verdict.FAILED, seen, truth, f"exit code {seen.returncode}")
    if seen.selection is None:
        more = f" (and {len(seen.doubts) - 1} more)" if len(seen.doubts) > 1 else ""
        return _row(case, Verdict.WIDE, seen, truth, seen.doubts[0] + more)
    selected = seen.selection.packages & installed
    missing = truth.packages - selected
    loose = {path for path in truth.loose if not _is_selected(path, seen)}
    if missing or loose or case.is_wide_by_nature:
        lacking = ", ".join(sorted({*missing, *map(os.path.basename, loose)}))
        return _row(case, Verdict.WRONG, seen, truth, f"not selected: {lacking or 'doubt'}")
    reasons = {name: _reason(name, seen, owners) for name in sorted(selected - truth.packages)}
    unexplained = [name for name, reason in reasons.items() if not reason]
    if unexplained:
        return _row(case, Verdict.WRONG, seen, truth, f"not used: {', '.join(unexplained)}")
    verdict = Verdict.BROADER if reasons else Verdict.EQUAL
    return _row(case, verdict, seen, truth, _counted(reasons))


def _row(case: Case, verdict: Verdict, seen: Seen, truth: Truth, why: str) -> Row:
    silent = f"{truth.silent} of {truth.processes} processes left no list" if truth.silent else ""
    selected = seen.installed
    if seen.selection is not None:
        selected = len(seen.selection.packages & _all(seen))
    return Row(
        case=case,
        verdict=verdict,
        used=len(truth.packages),
        selected=selected,
        installed=seen.installed,
        why="; ".join(each for each in (why, silent) if each),
    )


def _all(seen: Seen) -> frozenset[str]:
    return frozenset(seen.names)


def _is_selected(path: str, seen: Seen) -> bool:
    if seen.selection is None:
        return False
    relative = path.rpartition("site-packages" + os.sep)[2].replace("/__init__.py", "")
    dotted = relative.partition(".")[0].replace(os.sep, ".")
    return path in seen.selection.files or dotted in seen.selection.modules


def _reason(name: str, seen: Seen, owners: Owners) -> str:
    selection = seen.selection
    if any(owners.of(path) == name for path in seen.files):
        return GONE
    if selection is not None and (name in selection.metadata or name in map(_key, seen.asked)):
        return ASKED
    if any(origin and owners.of(origin) == name for _, origin in seen.found):
        return FOUND
    return ""


def _key(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _counted(reasons: dict[str, str]) -> str:
    counts = Counter(reasons.values())
    return "; ".join(f"{reason}: {_few(reasons, reason)}" for reason in sorted(counts))


def _few(reasons: dict[str, str], reason: str) -> str:
    return _shortened(name for name, each in reasons.items() if each == reason)


def _shortened(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - 4} more" if len(listed) > 4 else ""
    return ", ".join(listed[:4]) + more
