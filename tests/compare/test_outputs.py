"""Goldens of every output form, byte for byte. `UPDATE_GOLDENS=1` writes them anew, to be read."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from envstage.compare.document import (
    CheckDocument,
    DiffDocument,
    builtins,
    check_document,
    diff_document,
    json_schema,
)
from envstage.compare.history import LogDocument
from envstage.compare.markdown import markdown
from envstage.compare.report import Report
from envstage.compare.styled import cells, plain
from envstage.compare.text import report_rows
from tests.compare.samples import NEW, OLD, freeze, report, side

DATA = Path(__file__).parent.parent / "data" / "compare"
SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "schemas"
REPORTS = {
    "mixed": report(side(OLD, "HEAD~1 (75d3721)"), side(NEW, "now")),
    "freeze": report(freeze(OLD), side(NEW, "now")),
    "same": report(side(OLD, "v1 (75d3721)"), side(OLD, "now")),
}


def golden(name: str, text: str) -> None:
    path = DATA / name
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize(
    ("name", "kind"), [("diff", DiffDocument), ("check", CheckDocument), ("log", LogDocument)]
)
def test_schemas_are_those_of_the_documents(name: str, kind: type[DiffDocument]) -> None:
    text = json.dumps(json_schema(kind, f"envstage {name} --json"), indent=2, sort_keys=True) + "\n"
    path = SCHEMAS / f"{name}.json"
    if os.environ.get("UPDATE_GOLDENS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [80, 160])
def test_terminal(name: str, width: int) -> None:
    text = plain(report_rows(REPORTS[name], width))
    assert all(cells(line) <= width for line in text.splitlines())
    golden(f"{name}-{width}.txt", text)


@pytest.mark.parametrize("name", REPORTS)
def test_markdown(name: str) -> None:
    golden(f"{name}.md", markdown(REPORTS[name]))


@pytest.mark.parametrize("name", REPORTS)
def test_json(name: str) -> None:
    document = json.loads(json.dumps(builtins(diff_document(REPORTS[name]))))
    golden(f"{name}.json", json.dumps(document, indent=2, sort_keys=True) + "\n")
    jsonschema.validate(document, json.loads((SCHEMAS / "diff.json").read_text()))
    check = json.loads(json.dumps(builtins(check_document(REPORTS[name]))))
    jsonschema.validate(check, json.loads((SCHEMAS / "check.json").read_text()))


def test_narrow_terminals_lose_nothing() -> None:
    whole = REPORTS["mixed"]
    text = "".join(plain(report_rows(whole, 24)).split())
    for change in whole.changes:
        assert change.name in text
    assert all(cells(line) <= 24 for line in plain(report_rows(whole, 24)).splitlines())


def test_nothing_else_is_named() -> None:
    found: Report = REPORTS["mixed"]
    assert "same" not in {change.name for change in found.changes}
