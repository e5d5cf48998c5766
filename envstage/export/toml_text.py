"""TOML as text: strings, inline tables, lists. Nothing in a value can end its string."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Plain: TypeAlias = "str | int | bool | Mapping[str, Plain] | Sequence[Plain]"


def toml_value(value: Plain) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's, in ASCII; DEL alone TOML wants escaped and JSON does not.
        return json.dumps(_without_surrogates(value)).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {toml_value(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(toml_value(each) for each in value)}]"


def toml_lines(table: Mapping[str, Plain]) -> list[str]:
    """The lines of a table's body."""
    return [f"{key} = {toml_value(value)}" for key, value in table.items()]


def _without_surrogates(text: str) -> str:
    """JSON writes characters beyond the first plane as two escapes, which TOML refuses."""
    return "".join(char if ord(char) < 0xD800 else "\N{REPLACEMENT CHARACTER}" for char in text)
