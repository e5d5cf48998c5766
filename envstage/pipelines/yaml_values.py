"""What a YAML text says, apart from how it is written; and values written as YAML."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from envstage.errors import EnvstageError
from envstage.pipelines.yaml_tree import LIMIT_NODES, Node

Meaning: TypeAlias = tuple[Any, ...]
"""Nested tuples: equal where two texts say the same, whatever quotes, styles and comments."""

_WORDS: Final = frozenset(
    {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<"}
)
_PLAIN: Final = re.compile(r"[A-Za-z_./$@][^\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]*")
_NUMBER: Final = re.compile(r"\.(?:[0-9].*|inf|nan)", re.IGNORECASE)


class Flow(msgspec.Struct, frozen=True):
    """A collection that is written on one line: `{cache: false}`, `[a, b]`."""

    value: Any


Data: TypeAlias = str | int | bool | Flow | Mapping[str, Any] | tuple[Any, ...] | None
"""A value to write: mappings and tuples are written in block style unless they are in a `Flow`."""


def is_typed(text: str) -> bool:
    """Whether a plain scalar may be read as something other than text, by YAML 1.1 or 1.2."""
    return text.lower() in _WORDS or text[0] in "-+0123456789" or bool(_NUMBER.fullmatch(text))


def meaning(node: Node | None) -> Meaning:
    """What a tree says, aliases replaced by what they stand for."""
    return ("null",) if node is None else _Reader().read(node)


def meaning_of(value: Data) -> Meaning:
    """What a value says once it is written."""
    if isinstance(value, Flow):
        return meaning_of(value.value)
    if isinstance(value, Mapping):
        return ("mapping", tuple((_scalar(key), meaning_of(each)) for key, each in value.items()))
    if isinstance(value, tuple):
        return ("sequence", tuple(meaning_of(each) for each in value))
    return _scalar(value)


def inline(value: Data, *, in_flow: bool = False) -> str:
    """A value on one line."""
    while isinstance(value, Flow):
        value = value.value
    if isinstance(value, Mapping):
        parts = (
            f"{inline(key, in_flow=True)}: {inline(value[key], in_flow=True)}" for key in value
        )
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(inline(each, in_flow=True) for each in value) + "]"
    if isinstance(value, str):
        return value if is_plain(value, in_flow=in_flow) else json.dumps(value, ensure_ascii=False)
    return "null" if value is None else str(value).lower()


def is_plain(text: str, *, in_flow: bool) -> bool:
    """Whether a text can be written without quotes and comes back as the same text."""
    if not _PLAIN.fullmatch(text) or is_typed(text) or text != text.strip():
        return False
    if ": " in text or " #" in text or text.endswith(":") or text[0] == "@":
        return False
    return not in_flow or not re.search(r"[,\[\]{}:#]", text)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is indented: columns a level, and columns from a key to its list's dashes."""

    unit: int = 2
    dash: int = 2

    def entry(self, key: str, value: Data) -> tuple[str, ...]:
        """The lines of an entry of a mapping, from column zero."""
        name = inline(key)
        if isinstance(value, Mapping) and value:
            below = [line for each in value for line in self.entry(each, value[each])]
            return (f"{name}:", *(" " * self.unit + line for line in below))
        if isinstance(value, tuple) and value:
            below = [line for each in value for line in self.item(each)]
            return (f"{name}:", *(" " * self.dash + line for line in below))
        return (f"{name}: {inline(value)}",)

    def item(self, value: Data) -> tuple[str, ...]:
        """The lines of an item of a sequence, from column zero."""
        if isinstance(value, Mapping) and value:
            lines = [line for each in value for line in self.entry(each, value[each])]
            return (f"- {lines[0]}", *("  " + line for line in lines[1:]))
        return (f"- {inline(value)}",)


class _Reader:
    def __init__(self) -> None:
        self._anchors: dict[str, Meaning] = {}
        self._sizes: dict[str, int] = {}
        self._budget = LIMIT_NODES

    def read(self, node: Node) -> Meaning:
        """The node's meaning; its anchor is known from then on."""
        before = self._budget
        self._spend(1)
        said = self._said(node)
        if node.anchor and node.kind != "alias":
            self._anchors[node.anchor] = said
            self._sizes[node.anchor] = before - self._budget
        return said

    def _said(self, node: Node) -> Meaning:
        if node.kind == "alias":
            # Expanded aliases are compared, so what they cost is counted: no billion laughs.
            self._spend(self._sizes.get(node.anchor, 1))
            return self._anchors.get(node.anchor, ("alias", node.anchor))
        if node.kind == "mapping":
            return (
                "mapping",
                tuple((self.read(key), self.read(each)) for key, each in node.entries),
            )
        if node.kind == "sequence":
            return ("sequence", tuple(self.read(each) for each in node.items))
        if node.is_null:
            return ("null",)
        if node.tag:
            return ("tagged", node.tag, node.value)
        return ("typed" if not node.style and is_typed(node.value) else "text", node.value)

    def _spend(self, count: int) -> None:
        self._budget -= count
        if self._budget < 0:
            raise EnvstageError("its aliases expand without measure")


def _scalar(value: str | int | bool | None) -> Meaning:
    if value is None:
        return ("null",)
    return ("text", value) if isinstance(value, str) else ("typed", str(value).lower())
