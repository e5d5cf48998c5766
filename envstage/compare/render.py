"""Differences as text: one line a thing that changed, in the words that a person would use."""

from collections.abc import Iterable
from typing import Any

import msgspec

from envstage.compare.changes import Change, changes, values_text
from envstage.compare.differences import Difference, Kind
from envstage.compare.versions import Severity
from envstage.snapshot.canonical import encoded
from envstage.snapshot.model import written
from envstage.snapshot.words import printable


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed: `packages.numpy`, `1.26.3 → 1.26.4 (upgrade)`."""

    subject: str
    kind: Kind
    text: str


def lines(found: Iterable[Difference]) -> tuple[Line, ...]:
    """Differences as lines; the facts of one package become one line."""
    return tuple(
        Line(subject=printable(written(each.subject)), kind=each.kind, text=_text(each))
        for each in changes(found)
    )


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


def _text(change: Change) -> str:
    text = values_text(change)
    if change.words or change.direction is None or change.kind is not Kind.CHANGED:
        return text
    if change.severity is Severity.LOCAL:
        return f"{text} (other local build)"
    return f"{text} ({change.direction.value})"
