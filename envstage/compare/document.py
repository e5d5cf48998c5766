"""A comparison as JSON: a stable document for programs (docs/schemas/diff.json)."""

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from envstage.compare.changes import Change
from envstage.compare.differences import Difference, Kind
from envstage.compare.remedies import Remedy
from envstage.compare.report import Place, Report
from envstage.compare.text import words_of
from envstage.compare.versions import Direction, Severity
from envstage.snapshot.canonical import encoded
from envstage.snapshot.model import Value, written

SCHEMA: Final = 1

Json: TypeAlias = str | int | bool | list[str | int | bool] | dict[str, str] | None
"""A fact's value; `{"$unknown": why}` where it could not be captured."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that differs; `null`: absent."""

    address: str
    kind: Kind
    old: Json
    new: Json


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed, with its value or version before and after."""

    address: str
    facet: str
    name: str
    kind: Kind
    old: Json
    new: Json
    direction: Direction | None
    severity: Severity | None
    counts: bool
    words: str
    views: tuple[str, ...]


class TouchedViewJson(msgspec.Struct, frozen=True, kw_only=True):
    """A view that sees some of the changes."""

    name: str
    environment: str
    stages: tuple[str, ...]


class NotCompared(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one kind that one side does not tell."""

    facts: str
    missing_in: Literal["a", "b"]
    count: int


class DiffDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `envstage diff --json` prints."""

    document: Literal["diff"] = "diff"
    schema: Literal[1] = 1
    a: Place
    b: Place
    same: bool
    changes: tuple[Changed, ...]
    differences: tuple[Fact, ...]
    views: tuple[TouchedViewJson, ...]
    stages: tuple[str, ...]
    not_compared: tuple[NotCompared, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of `--fix`: a command, or advice where no command can do it."""

    command: tuple[str, ...]
    advice: str
    closes: tuple[str, ...]


class CheckDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `envstage check --json` prints; `result` follows the exit code."""

    document: Literal["check"] = "check"
    schema: Literal[1] = 1
    reference: Place
    result: Literal["matches", "differs", "unknown"]
    matches: bool
    changes: tuple[Changed, ...]
    differences: tuple[Fact, ...]
    not_compared: tuple[NotCompared, ...]
    fix: tuple[Step, ...] = ()


def check_document(report: Report, steps: Sequence[Remedy] = ()) -> CheckDocument:
    """The document of a check."""
    whole = diff_document(report)
    is_unknown = all(each.kind is Kind.INCOMPARABLE for each in report.differences)
    return CheckDocument(
        reference=report.a,
        result="matches" if whole.same else "unknown" if is_unknown else "differs",
        matches=whole.same,
        changes=whole.changes,
        differences=whole.differences,
        not_compared=whole.not_compared,
        fix=tuple(
            Step(command=each.command, advice=each.advice, closes=each.closes) for each in steps
        ),
    )


def diff_document(report: Report) -> DiffDocument:
    """The document of a comparison."""
    return DiffDocument(
        a=report.a,
        b=report.b,
        same=not report.differences,
        changes=tuple(_changed(each, report.views_of(each)) for each in report.changes),
        differences=tuple(fact(each) for each in report.differences),
        views=tuple(
            TouchedViewJson(name=view.name, environment=view.environment, stages=view.stages)
            for view in report.views
        ),
        stages=report.stages,
        not_compared=tuple(
            NotCompared(
                facts=each.pattern,
                missing_in="a" if each.lacking == "a" else "b",
                count=len(each.addresses),
            )
            for each in report.silences
        ),
    )


def json_value(value: Value) -> Json:
    """A value as JSON has it."""
    found: Json = encoded(value)
    return found


def builtins(document: msgspec.Struct) -> Any:
    """A document as plain objects, to print."""
    return msgspec.to_builtins(document)


def json_schema(kind: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """The JSON Schema of a document."""
    schema = msgspec.json.schema(kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **schema}


def _changed(change: Change, views: tuple[str, ...]) -> Changed:
    return Changed(
        address=written(change.subject),
        facet=change.facet,
        name=change.name,
        kind=change.kind,
        old=json_value(change.old),
        new=json_value(change.new),
        direction=change.direction,
        severity=change.severity,
        counts=change.counts,
        words=words_of(change),
        views=views,
    )


def fact(difference: Difference) -> Fact:
    """A difference for programs."""
    return Fact(
        address=written(difference.address),
        kind=difference.kind,
        old=json_value(difference.old),
        new=json_value(difference.new),
    )
