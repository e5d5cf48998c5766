"""How commands print: JSON for programs, text for people, notes on standard error."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from envstage.compare.styled import Row, Style
from envstage.snapshot.secrets import holds_secret, without_secret_words
from envstage.snapshot.withheld import without_secret_texts
from envstage.snapshot.words import printable

_WIDTH: Final = 80
# Fewer are done before a person wonders.
_WORTH_SHOWING: Final = 30
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
    safe = without_secret_texts(document, holds_secret)
    print(json.dumps(safe, indent=2, sort_keys=True))


def print_rows(rows: Iterable[Row]) -> None:
    """Rows of styled text, in colour on a terminal only."""
    is_coloured = has_colour()
    for row in rows:
        line = "".join(text for text, _ in row)
        if holds_secret(line):
            print(shown(line))
        elif is_coloured:
            print("".join(_painted(text, style) for text, style in row).rstrip())
        else:
            print(line.rstrip())


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
    """A remark or an error, no result: on standard error, so that it joins no pipe."""
    if sys.stderr is not None:  # closed: `print` would take standard output instead
        print(f"envstage: {shown(text)}", file=sys.stderr)


def shown(text: str) -> str:
    """A line as it may be shown: nothing in it steers a terminal, or looks like a secret."""
    return without_secret_words(printable(text), holds_secret)


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on standard error for what takes a while, where that is a terminal.

    It is told what is under way, how much of it is done, and of how much.
    """
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    with contextlib.ExitStack() as stack:
        bars: list[tuple[Any, Any]] = []

        def move(what: str, done: int, total: int) -> None:
            if total < _WORTH_SHOWING:
                return
            if not bars:  # rich costs 60 ms: only where there is something to show
                from rich.console import Console
                from rich.progress import Progress

                bar = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
                bars.append((bar, bar.add_task(what, total=total)))
            bar, task = bars[0]
            bar.update(task, description=what, completed=done, total=total)

        yield move


def plural(count: int, noun: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _painted(text: str, style: Style | None) -> str:
    return text if style is None or not text else f"\x1b[{_CODES[style]}m{text}\x1b[0m"
