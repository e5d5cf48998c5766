"""Values as people read them; nothing in them can steer a terminal."""

import re
from typing import Final

from envstage.snapshot.model import NotApplicable, Unknown, Value
from envstage.snapshot.secrets import REMOVED, holds_secret

_DIGEST: Final = re.compile(r"((?:source-)?sha(?:256|384|512):|commit:)([0-9a-f]{12})[0-9a-f]{20,}")


def value_text(value: Value) -> str:
    """A value as people read it; nothing in it can steer a terminal."""
    if value is None:
        return "none"
    if isinstance(value, Unknown):
        return f"unknown: {printable(value.why)}"
    if isinstance(value, NotApplicable):
        return f"not applicable: {printable(value.why)}"
    if isinstance(value, tuple):
        return ", ".join(value_text(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = printable(str(value))
    # A document of someone else's may hold what ours would not.
    return REMOVED if holds_secret(text) else _shortened(text)


def printable(text: str) -> str:
    """A text without control and formatting characters (case 26)."""
    return "".join(ch if ch.isprintable() else "\N{REPLACEMENT CHARACTER}" for ch in text)


def _shortened(text: str) -> str:
    match = _DIGEST.fullmatch(text)
    return f"{match[1]}{match[2]}" if match else text
