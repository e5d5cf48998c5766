"""A snapshot may come from anybody: nothing in it becomes an instruction (case 26)."""

import re
from html.parser import HTMLParser

import pytest

from envstage.export.formats import FORMATS, format_of
from envstage.export.reproduce import reproduce
from tests.export.samples import hostile

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202e]")


@pytest.mark.hard_case(26)
@pytest.mark.parametrize("form", FORMATS)
def test_no_line_of_its_own_and_no_control_character(form: str) -> None:
    text = format_of(form).render(hostile(), {})
    assert not CONTROL.search(text)
    for line in text.splitlines():
        bare = line.strip()
        assert not bare.startswith(("--index-url", "RUN touch", "[[packages]]\nname", "- c"))
        is_text = form == "html"  # where a URL in a line's text is text
        assert is_text or bare.startswith("#") or "https://evil.example" not in bare or '"' in bare


@pytest.mark.hard_case(26)
def test_dockerfile_runs_nothing_of_the_snapshot() -> None:
    text = format_of("dockerfile").render(hostile())
    for line in text.splitlines():
        if not line.startswith(("#", "ENV V")):
            assert "touch" not in line
    settings = [line for line in text.splitlines() if line.startswith("ENV V")]
    assert settings
    assert all(re.fullmatch(r'ENV V\d+="(?:[^"\\$]|\\["\\$])*"', line) for line in settings)


def test_requirements_pin_nothing_hostile() -> None:
    lines = format_of("requirements").render(hostile()).splitlines()
    kept = [line for line in lines if not line.startswith("#")]
    assert kept == []


def test_reproduce_md_holds_no_markup_of_the_snapshot() -> None:
    assert "<script>" not in reproduce(hostile())


def test_html_holds_no_markup_of_the_snapshot() -> None:
    seen: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.update({tag, *(f"{tag} {name}" for name, _ in attrs)})

    Tags().feed(format_of("html").render(hostile()))
    inert = "html head meta title style body h1 h2 p code table tr th td".split()
    assert {*inert, "html lang", "meta charset", "meta name", "meta content"} >= seen
