"""Differences as text: one line a thing that changed, in the words that a person would use."""

from collections.abc import Iterable
from typing import Any

import msgspec

from envstage.compare.differences import Difference, Kind
from envstage.snapshot.canonical import encoded
from envstage.snapshot.model import written
from envstage.snapshot.words import printable, value_text


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed: `packages.numpy`, `1.26.3 → 1.26.4 (upgrade)`."""

    subject: str
    kind: Kind
    text: str


def lines(found: Iterable[Difference]) -> tuple[Line, ...]:
    """Differences as lines; the facts of one package become one line."""
    groups: dict[str, list[Difference]] = {}
    for difference in found:
        groups.setdefault(_subject(difference), []).append(difference)
    return tuple(_line(subject, group) for subject, group in groups.items())


def short(found: Iterable[Difference], most: int = 3) -> str:
    """The first differences in one line of text: `numpy 1.26.3 → 1.26.4 (upgrade) and 2 more`."""
    all_lines = lines(found)
    shown = ", ".join(f"{each.subject} {each.text}" for each in all_lines[:most])
    more = len(all_lines) - most
    return f"{shown} and {more} more" if more > 0 else shown


def as_json(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """Differences for programs."""
    return [
        {
            "address": written(each.address),
            "kind": each.kind.value,
            "old": encoded(each.old),
            "new": encoded(each.new),
        }
        for each in found
    ]


def _subject(difference: Difference) -> str:
    address = difference.address
    if address[0] in ("packages", "conda", "tools") and len(address) > 2:
        return written(address[:2])
    return written(address)


def _line(subject: str, group: list[Difference]) -> Line:
    by_name = {each.address[-1]: each for each in group}
    version = by_name.get("version")
    if len(group) == 1 or version is not None:
        return _one(subject, version or group[0])
    for name, words in (
        ("build", "other build of the same version"),
        ("sha256", "other binary of the same version"),
        ("source", "other source"),
    ):
        if name in by_name:
            return Line(subject=subject, kind=by_name[name].kind, text=words)
    return _one(subject, group[0])


def _one(subject: str, difference: Difference) -> Line:
    old, new = value_text(difference.old), value_text(difference.new)
    kind = difference.kind
    if kind is Kind.ADDED:
        text = f"added {new}"
    elif kind is Kind.REMOVED:
        text = f"removed (was {old})"
    elif difference.address[-1] == "build" and difference.address[0] == "packages":
        text = "other build of the same version"
    else:
        text = f"{old} → {new}{_direction(difference)}"
    return Line(subject=printable(subject), kind=kind, text=text)


def _direction(difference: Difference) -> str:
    if difference.address[-1] != "version" or difference.kind is not Kind.CHANGED:
        return ""
    from packaging.version import InvalidVersion, Version  # 10 ms, only where it is shown

    try:
        old, new = Version(str(difference.old)), Version(str(difference.new))
    except InvalidVersion:
        return ""
    if old.public == new.public:
        return " (other local build)"
    return " (upgrade)" if new > old else " (downgrade)"
