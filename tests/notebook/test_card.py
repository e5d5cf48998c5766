"""The card: everything from the machine is escaped, everything worth seeing is there."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import envstage
from envstage.notebook.card import card, comparison_table

HOSTILE = "<script>alert('x')</script>\"&\x1b[31m\u202e"
INFO: dict[str, Any] = {
    "python_version_short": "3.11.4",
    "platform": HOSTILE,
    "packages": {"numpy": "1.26.4", "torch": "2.1.0", HOSTILE: HOSTILE},
    "torch_version": "2.1.0+cu121",
    "cuda_available": True,
    "cuda_version": "12.1",
    "cudnn_version": None,
    "gpu_name": "Tesla T4",
    "gpu_count": 2,
    "envstage": {"notes": [HOSTILE]},
}


class Tags(HTMLParser):
    """The tags of a page, and whether each one is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


@pytest.mark.parametrize(
    "html",
    [
        card("e-0123456789abcdef", HOSTILE, INFO),
        comparison_table(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)]),
    ],
    ids=["card", "comparison"],
)
def test_nothing_hostile_gets_through(html: str) -> None:
    tags = Tags(html)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "<script" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "<script>alert('x')</script>\"&" in tags.text  # shown as text


def test_what_it_shows() -> None:
    text = Tags(card("e-0123456789abcdef", "hardware", INFO)).text
    for part in ("e-0123456789ab", "3.11.4", "2 × Tesla T4", "12.1, unknown", "2.1.0+cu121"):  # noqa: RUF001
        assert part in text
    assert "3 packages" in text


def test_the_captured_object_shows_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    captured = envstage.capture()
    tags = Tags(captured._repr_html_())
    assert tags.open == []
    assert captured.fingerprint[:14] in tags.text
    assert repr(captured).startswith(f"<environment {captured.fingerprint[:14]}: Python 3.")
    _, path, _ = captured.save("there")
    assert "No difference" in captured.diff(path)._repr_html_()
