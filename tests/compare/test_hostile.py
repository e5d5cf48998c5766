"""Case 26: a name, value, branch or label of anybody's making stays text in every output form."""

import json
import re

import pytest

from envstage.compare.document import builtins, diff_document
from envstage.compare.history import Step, differences_between, log_rows
from envstage.compare.markdown import code, markdown
from envstage.compare.overview import Overview, overview_rows
from envstage.compare.remedies import Interpreter, remedies
from envstage.compare.report import Place
from envstage.compare.styled import cells, plain
from envstage.compare.text import report_rows
from envstage.snapshot.model import Address, Level, Snapshot, Value
from tests.compare.samples import report, side

TEXTS = (
    "$(rm -rf ~)",
    "`id`",
    "</script><script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "a\nb\n--index-url https://evil.example",
    "x | y \\| z | [link](javascript:alert(1)) ![i](http://evil.example/x.png) @ada <!-- ",
    "\u202eevil\u2066",
    "--option",
    "-rf",
    "'; rm -rf ~; '",
    "``` \\`",
    "\U0001f9ea" * 50,
)


def facts(text: str, version: str) -> dict[Address, Value]:
    return {
        ("packages", text, "version"): version,
        ("packages", "plain", "version"): f"{version}{text}",
        ("variables", text): f"{text}{version}",
        ("tools", text, "version"): f"{text}{version}",
        ("conda", text, "version"): version,
    }


@pytest.mark.hard_case(26)
@pytest.mark.parametrize("text", TEXTS)
def test_terminal(text: str) -> None:
    found = report(side(facts(text, "1"), label=text), side(facts(text, "2"), label=text))
    for width in (20, 80):
        shown = plain(report_rows(found, width))
        assert all(line.isprintable() and cells(line) <= width for line in shown.split("\n"))
    place = Place(label=text, level="platform")
    overview = Overview(place=place, facts=facts(text, "1"), environment=text, anomalies=[text])
    shown = plain(overview_rows(overview, 80))
    assert all(line.isprintable() and cells(line) <= 80 for line in shown.split("\n"))


@pytest.mark.parametrize("text", TEXTS)
def test_log(text: str) -> None:
    one, other = (
        Snapshot(environment="main", level=Level.HARDWARE, facts=facts(text, version))
        for version in ("1", "2")
    )
    found, words = differences_between(one, other)
    step = Step(commit="c" * 40, time="2026-01-01T00:00:00Z", author=text, subject=text,
                differences=found, words=words, facts=other.facts)  # fmt: skip
    for is_followed in (True, False):
        lines = plain(log_rows([step], 60, is_followed=is_followed)).split("\n")
        assert len(lines) == 2
        assert all(line.isprintable() and cells(line) <= 60 for line in lines)


@pytest.mark.parametrize("text", TEXTS)
def test_markdown(text: str) -> None:
    found = report(side(facts(text, "1"), label=text), side(facts(text, "2"), label=text))
    shown = markdown(found)
    rows = [line for line in shown.split("\n") if line.startswith("|")]
    # Cells are told apart by bars that stand alone: hostile text adds none.
    assert len({line.count("|") for line in rows}) == 1
    bare = re.sub(r"`[^`|\\<]*`|<code>[A-Za-z0-9 &#;]*</code>", "", shown)
    assert not re.search(r"[`<>\[\]\\@$\x00-\x09\x0b-\x1f]", bare)


@pytest.mark.parametrize("text", TEXTS)
def test_code_ends_where_it_should(text: str) -> None:
    assert re.fullmatch(r"`[^`|\\<\n]*`|<code>[A-Za-z0-9 &#;]*</code>", code(text))


@pytest.mark.parametrize("text", TEXTS)
def test_json(text: str) -> None:
    found = report(side(facts(text, "1"), label=text), side(facts(text, "2"), label=text))
    shown = json.dumps(builtins(diff_document(found)))
    assert shown.isascii() and shown.isprintable()
    assert json.loads(shown)["a"]["label"] == text


@pytest.mark.parametrize("text", TEXTS)
def test_fix_makes_no_command_of_it(text: str) -> None:
    old, new = facts(text, "1"), facts(text, "2")
    found = report(side(old), side(new)).changes
    ours = {"--python", "--no-deps", "--reinstall"}
    for step in remedies(found, old, Interpreter(executable="/bin/python", uv="uv")):
        if step.command[:1] == ("export",):
            # A value is one argument, which whoever prints it quotes.
            assert len(step.command) == 2
            continue
        assert all(word in ours for word in step.command if word.startswith("-"))
        assert all(re.fullmatch(r"[A-Za-z0-9/._=!+-]+", word) for word in step.command)
