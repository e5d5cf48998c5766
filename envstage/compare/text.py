"""A comparison as people read it in a terminal: by facet, one row a thing."""

from collections.abc import Iterable, Iterator
from typing import Final

from envstage.compare.changes import Change
from envstage.compare.differences import Kind
from envstage.compare.report import Report, by_facet
from envstage.compare.sides import B, Silence
from envstage.compare.styled import Row, Style, cells, folded, padded
from envstage.compare.versions import Severity
from envstage.facets import catalogue
from envstage.snapshot.words import printable, value_text

_MARKS: Final = {
    Kind.ADDED: ("+", Style.ADDED),
    Kind.REMOVED: ("-", Style.REMOVED),
    Kind.CHANGED: ("~", Style.CHANGED),
    Kind.INCOMPARABLE: ("?", Style.UNKNOWN),
}
_NAME_AT_MOST: Final = 28
_NAMES_SHOWN: Final = 3
_INDENT: Final = "      "


def report_rows(report: Report, width: int) -> tuple[Row, ...]:
    """The whole comparison, at most `width` columns wide."""
    title = f"{printable(report.a.label)} → {printable(report.b.label)}"
    if not report.differences:
        rows: list[Row] = [((line, None),) for line in folded(f"No difference: {title}", width)]
        return (*rows, *_silence_rows(report, width))
    rows = [((line, Style.TITLE),) for line in folded(title, width)]
    return (*rows, *change_rows(report, width), *_ending(report, width))


def change_rows(report: Report, width: int) -> Iterator[Row]:
    """The changes, facet by facet."""
    for facet, group in by_facet(report.changes).items():
        yield ()
        yield ((printable(facet), Style.TITLE),)
        names = min(max(cells(printable(each.name)) for each in group), _NAME_AT_MOST)
        values = max(cells(value) for value in map(values_of, group))
        for change in group:
            yield from _change_rows(change, names, values, width)


def values_of(change: Change) -> str:
    """The values that a change is about: `1.26.3 → 1.26.4`, `0.0.24`."""
    if change.words:
        return ""
    if change.kind is Kind.ADDED:
        return value_text(change.new)
    if change.kind is Kind.REMOVED:
        return value_text(change.old)
    return f"{value_text(change.old)} → {value_text(change.new)}"


def words_of(change: Change) -> str:
    """What happened, in words: `upgrade, minor`."""
    words = [change.words] if change.words else []
    if change.kind in (Kind.ADDED, Kind.REMOVED):
        words.append(change.kind.value)
    elif change.kind is Kind.INCOMPARABLE:
        words.append("cannot be compared")
    elif change.severity is Severity.LOCAL:
        words.append("other local build")
    elif change.direction is not None and not change.words:
        words.append(change.direction.value)
    if change.severity not in (None, Severity.LOCAL):
        words.append(change.severity.value)
    if not change.counts:
        words.append("does not count")
    return ", ".join(words)


def silence_lines(report: Report) -> Iterator[str]:
    """What could not be compared, a line for each side that does not tell."""
    for place, side in ((report.a, "a"), (report.b, B)):
        silent = [each for each in report.silences if each.lacking == side and _matters(each)]
        if silent:
            listed = ", ".join(_silence_text(each) for each in silent)
            yield f"Not compared, {printable(place.label)} does not tell: {listed}."


def effect_line(report: Report) -> str:
    """Which views see the changes, and which stages would run again."""
    if not report.views:
        return ""
    views = ", ".join(printable(view.name) for view in report.views)
    noun = "View" if len(report.views) == 1 else "Views"
    text = (
        f"{noun} that see this: {views}." if noun == "Views" else f"View that sees this: {views}."
    )
    if report.stages:
        text += f" Would run again: {', '.join(map(printable, report.stages))}."
    return text


def _change_rows(change: Change, names: int, values: int, width: int) -> Iterator[Row]:
    mark, style = _MARKS[change.kind]
    name, value, words = printable(change.name), values_of(change), words_of(change)
    # A local build, a patch: quieter than what changes an interface.
    tone = Style.STRONG if change.severity is Severity.MAJOR else None
    tone = tone if change.counts else Style.FAINT
    head = (f"  {mark} ", style)
    used = 4 + names + 2
    if cells(name) <= names and used + values + 2 + cells(words) <= width:
        middle = padded(value, values) + "  " if value else ""
        yield head, (padded(name, names) + "  ", tone), (middle, tone), (words, tone)
        return
    together = "  ".join(text for text in (value, words) if text)
    if cells(name) <= names and used + cells(together) <= width:
        yield head, (padded(name, names) + "  ", tone), (together, tone)
        return
    first, *rest = folded(name, width - 4)
    yield head, (first, tone)
    for line in rest:
        yield ((f"    {line}", tone),)
    for text in (value, words):
        for line in folded(text, width, _INDENT) if text else ():
            yield ((line, tone),)


def _ending(report: Report, width: int) -> Iterator[Row]:
    effect = effect_line(report)
    if effect:
        yield ()
        for line in folded(effect, width):
            yield ((line, None),)
    yield from _silence_rows(report, width)


def _silence_rows(report: Report, width: int) -> Iterator[Row]:
    lines = list(silence_lines(report))
    if lines:
        yield ()
    for text in lines:
        for line in folded(text, width):
            yield ((line, Style.FAINT),)


def _matters(silence: Silence) -> bool:
    return any(catalogue.counts(address) for address in silence.addresses)


def _silence_text(silence: Silence) -> str:
    count = len(silence.addresses)
    if "*" not in silence.pattern:
        return printable(silence.pattern)
    if silence.pattern.endswith(".version") or count <= _NAMES_SHOWN:
        return f"{silence.pattern} ({_listed(each[1] for each in silence.addresses)})"
    return f"{silence.pattern} ({count})"


def _listed(names: Iterable[str]) -> str:
    everything = [printable(name) for name in names]
    shown = ", ".join(everything[:_NAMES_SHOWN])
    more = len(everything) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
