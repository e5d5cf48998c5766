"""How commands print: JSON for programs, text for people, notes on standard error."""

import json
import sys
from typing import Any


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, sort_keys=True))


def note(text: str) -> None:
    """A remark that is no result: on standard error, so that it joins no pipe."""
    print(f"envstage: {text}", file=sys.stderr)


def plural(count: int, noun: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
