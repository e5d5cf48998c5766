"""How commands print: JSON for programs, text for people, notes on standard error."""

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, Final

from envstage.compare.styled import Row, Style

_WIDTH: Final = 80
_WIDTH_AT_MOST: Final = 160
_CODES: Final = {
    Style.TITLE: "1",
    Style.ADDED: "32",
    Style.REMOVED: "31",
    Style.CHANGED: "33",
    Style.UNKNOWN: "35",
    Style.STRONG: "1",
    Style.FAINT: "2",
}


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, sort_keys=True))


def print_rows(rows: Iterable[Row]) -> None:
    """Rows of styled text, in colour on a terminal only."""
    is_coloured = has_colour()
    for row in rows:
        if is_coloured:
            print("".join(_painted(text, style) for text, style in row).rstrip())
        else:
            print("".join(text for text, _ in row).rstrip())


def has_colour() -> bool:
    """Whether standard output is a terminal that colours belong on (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def width() -> int:
    """The columns to fill: those of the terminal, or 80 where there is none."""
    if not sys.stdout.isatty():
        return _WIDTH
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return _WIDTH
    return max(20, min(columns or _WIDTH, _WIDTH_AT_MOST))


def note(text: str) -> None:
    """A remark that is no result: on standard error, so that it joins no pipe."""
    print(f"envstage: {text}", file=sys.stderr)


def plural(count: int, noun: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _painted(text: str, style: Style | None) -> str:
    return text if style is None or not text else f"\x1b[{_CODES[style]}m{text}\x1b[0m"
