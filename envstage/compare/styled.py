"""Text in rows of styled spans, folded to a width: what terminals show, without their codes."""

import enum
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TypeAlias


class Style(enum.Enum):
    """What a span is; how that looks is the printer's business."""

    TITLE = "title"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    STRONG = "strong"
    FAINT = "faint"


Span: TypeAlias = tuple[str, Style | None]
Row: TypeAlias = tuple[Span, ...]


def plain(rows: Sequence[Row]) -> str:
    """Rows as text without styles, each on a line."""
    return "".join("".join(text for text, _ in row).rstrip() + "\n" for row in rows)


def cells(text: str) -> int:
    """The columns that a printable text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(ch) for ch in text)


def padded(text: str, width: int) -> str:
    """A text filled up to a width."""
    return text + " " * (width - cells(text))


def folded(text: str, width: int, indent: str = "") -> Iterator[str]:
    """A text in lines of a width, broken at spaces; a word that is too long is broken anywhere.

    Nothing is cut off: half a version is another version.
    """
    room = max(width - cells(indent), 8)
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cells(joined) <= room:
            line = joined
            continue
        if line:
            yield indent + line
        *pieces, line = _pieces(word, room)
        for piece in pieces:
            yield indent + piece
    if line:
        yield indent + line


def _pieces(word: str, room: int) -> list[str]:
    pieces, piece, used = [], "", 0
    for ch in word:
        size = _cells_of(ch)
        if used + size > room:
            pieces.append(piece)
            piece, used = "", 0
        piece += ch
        used += size
    return [*pieces, piece]


def _cells_of(ch: str) -> int:
    if unicodedata.combining(ch):
        return 0
    return 2 if unicodedata.east_asian_width(ch) in "WF" else 1
