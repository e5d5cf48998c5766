"""The history of an environment: what each commit changed, in one line."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from envstage.compare.changes import Change, changes, values_text
from envstage.compare.differences import Difference
from envstage.compare.document import Fact, Json, fact, json_value
from envstage.compare.report import ordered
from envstage.compare.sides import Side, compare
from envstage.compare.styled import Row, Style, cells
from envstage.compare.versions import Severity
from envstage.snapshot.model import Facts, Snapshot, Value, covers, written
from envstage.snapshot.words import printable, value_text

FIRST = "first snapshot"
REMOVED = "removed"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of the history.

    Attributes:
        differences: none for the first snapshot, a removed and an unreadable one.
        words: what happened, where no difference says it.
        facts: the facts that are followed, as the commit has them.
    """

    commit: str
    time: str
    author: str
    subject: str
    differences: tuple[Difference, ...] = ()
    words: str = ""
    facts: Facts = {}


class StepJson(msgspec.Struct, frozen=True, kw_only=True):
    """One commit, for programs."""

    commit: str
    time: str
    author: str
    subject: str
    words: str
    differences: tuple[Fact, ...]
    facts: dict[str, Json]


class LogDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `envstage log --json` prints: the newest commit first."""

    document: Literal["log"] = "log"
    schema: Literal[1] = 1
    environment: str
    commits: tuple[StepJson, ...]


def differences_between(
    before: Snapshot | None, after: Snapshot | None, problem: str = ""
) -> tuple[tuple[Difference, ...], str]:
    """What a commit changed, or the words for what is no difference."""
    if problem:
        return (), problem
    if after is None:
        return (), REMOVED
    if before is None:
        count = len({address[1] for address in after.facts if address[0] == "packages"})
        return (), f"{FIRST}: {count} packages, level {after.level.word}"
    found = compare(_side(before), _side(after))
    if found.differences:
        return found.differences, ""
    if before.level is not after.level:
        return (), f"level {before.level.word} → {after.level.word}"
    return (), "nothing that both tell of"


def followed(pattern: str, snapshot: Snapshot | None) -> dict[tuple[str, ...], Value]:
    """The facts that a pattern names."""
    if snapshot is None:
        return {}
    return {
        address: value
        for address, value in sorted(snapshot.facts.items())
        if covers(pattern, address)
    }


def log_rows(steps: Sequence[Step], width: int, *, is_followed: bool) -> list[Row]:
    """A row for each commit, cut to the width: `--json` has the rest."""
    rows: list[Row] = []
    for step in steps:
        head = f"{step.time[:10]}  {step.commit[:7]}  "
        text = facts_text(step.facts) if is_followed else _what(step, width - len(head))
        style = _style(step)
        cut = _cut(text, width - len(head))
        rows.append(((head[:12], Style.FAINT), (head[12:], Style.CHANGED), (cut, style)))
    return rows


def log_document(environment: str, steps: Sequence[Step]) -> LogDocument:
    """The history as a document."""
    return LogDocument(
        environment=environment,
        commits=tuple(
            StepJson(
                commit=step.commit,
                time=step.time,
                author=step.author,
                subject=step.subject,
                words=step.words,
                differences=tuple(fact(each) for each in step.differences),
                facts={
                    written(address): json_value(value) for address, value in step.facts.items()
                },
            )
            for step in steps
        ),
    )


def facts_text(facts: Facts) -> str:
    """The value of one fact, or `name: value` of several: a row is cut, so versions come first."""
    if not facts:
        return "absent"
    if len(facts) == 1:
        return value_text(next(iter(facts.values())))
    is_one_thing = len({address[:-1] for address in facts}) == 1
    ordered = sorted(facts.items(), key=lambda item: item[0][-1] != "version")
    return ", ".join(
        f"{printable(address[-1] if is_one_thing else written(address))}: {value_text(value)}"
        for address, value in ordered
    )


def _side(snapshot: Snapshot) -> Side:
    return Side(label="", level=snapshot.level, facts=snapshot.facts)


def _what(step: Step, room: int) -> str:
    """As many of the changes as fit, the likeliest to matter first, and how many more there are."""
    found = ordered(changes(step.differences))
    if not found:
        return printable(step.words)
    shown: list[str] = []
    for index, change in enumerate(found):
        more = len(found) - index - 1
        text = ", ".join([*shown, _change_text(change)])
        ending = f" and {more} more" if more else ""
        if shown and cells(text + ending) > room:
            return f"{', '.join(shown)} and {more + 1} more"
        shown.append(_change_text(change))
    return ", ".join(shown)


def _change_text(change: Change) -> str:
    name = change.name if change.facet in ("packages", "conda") else written(change.subject)
    return f"{printable(name)} {values_text(change)}"


def _style(step: Step) -> Style | None:
    if step.words:
        return Style.FAINT
    steps = {change.severity for change in changes(step.differences)}
    return Style.STRONG if Severity.MAJOR in steps else None


def _cut(text: str, room: int) -> str:
    if cells(text) <= room:
        return text
    kept = ""
    for ch in text:
        if cells(kept + ch) >= room:
            break
        kept += ch
    return f"{kept}…"
