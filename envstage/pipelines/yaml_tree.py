"""YAML as a tree of places: every node knows the offsets of the text that it is written in.

Built from the parser's events rather than from composed nodes: an event has the place of an
alias, which a composed node (shared with its anchor) has lost, and collections get the end of
their last entry, where the parser's own marks reach over the comments that follow.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from envstage.errors import EnvstageError

LIMIT_CHARACTERS: Final = 4 * 1024 * 1024
LIMIT_DEPTH: Final = 64
LIMIT_NODES: Final = 200_000
NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_PROPERTIES: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")
_COLON: Final = re.compile(r"\s*:")

Kind: TypeAlias = Literal["scalar", "mapping", "sequence", "alias"]
Path: TypeAlias = tuple[str | int, ...]
"""Where a node stands: `("stages", "train", "deps", 0)`."""


class Node(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One node and its place.

    `start` is where its properties (anchor, tag) or its content begin, `content` where the
    content does; `end` is behind its last character, comments and line break excluded.
    """

    kind: Kind
    start: int
    content: int
    end: int
    value: str = ""
    tag: str = ""
    anchor: str = ""
    style: str = ""
    is_flow: bool = False
    entries: tuple[tuple["Node", "Node"], ...] = ()
    items: tuple["Node", ...] = ()

    @property
    def is_null(self) -> bool:
        """Whether nothing, or `null`, is written here."""
        return self.kind == "scalar" and not self.style and not self.tag and self.value in NULLS

    @property
    def is_empty(self) -> bool:
        """Whether it holds no entry and no item."""
        return not self.entries and not self.items

    def entry(self, key: str) -> tuple["Node", "Node"] | None:
        """The key's and the value's node of an entry; nothing if it is not there."""
        return self._entries_by_key.get(key)

    def has_key(self, key: str) -> bool:
        """Whether the key is written here, once or more often."""
        return key in self._entries_by_key

    @functools.cached_property
    def _entries_by_key(self) -> Mapping[str, "tuple[Node, Node] | None"]:
        """The entries, found without going through them; nothing for a key written twice."""
        found: dict[str, tuple[Node, Node] | None] = {}
        for pair in self.entries:
            key = pair[0].value
            found[key] = None if key in found else pair
        return found

    def child(self, step: str | int) -> "Node | None":
        """The value of an entry, or an item."""
        if isinstance(step, int):
            return self.items[step] if -len(self.items) <= step < len(self.items) else None
        pair = self.entry(step)
        return pair[1] if pair else None

    def at(self, path: Path) -> "Node | None":
        """The node at a path below; nothing if it is not there."""
        node: Node | None = self
        for step in path:
            node = node.child(step) if node is not None else None
        return node


@functools.lru_cache(maxsize=16)
def parse(text: str, *, name: str) -> Node | None:
    """The tree of a document; nothing if it is empty. A text that was just read is remembered.

    Raises:
        EnvstageError: not YAML, several documents, a key written twice, or out of all bounds.
    """
    return parsed(text, name=name)


def parsed(text: str, *, name: str) -> Node | None:
    """The same, of a text that nobody asks about again."""
    if len(text) > LIMIT_CHARACTERS:
        raise EnvstageError("larger than 4 MiB", where=name)
    import yaml

    # Thirty times as fast as the parsers in Python; not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(text, name, iter(yaml.parse(text, Loader=loader))).document()
    except yaml.YAMLError as error:
        raise _malformed(error, name) from None


def line_of(text: str, offset: int) -> int:
    """The line of an offset, counted from 1."""
    return text.count("\n", 0, offset) + 1


class _Builder:
    """Turns the parser's events into nodes."""

    def __init__(self, text: str, name: str, events: Iterator[Any]) -> None:
        self._text = text
        self._name = name
        self._events = events
        self._count = 0

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise self._refuse("holds several documents", event)
                root = self._node(next(self._events), 0)
        if root is not None and root.is_null and not root.value:
            return None
        return root

    def _refuse(self, what: str, event: Any) -> EnvstageError:
        return EnvstageError(what, where=f"{self._name}:{event.start_mark.line + 1}")

    def _node(self, event: Any, depth: int) -> Node:
        self._count += 1
        if depth > LIMIT_DEPTH or self._count > LIMIT_NODES:
            raise self._refuse("nested too deeply, or far too long", event)
        kind = type(event).__name__
        if kind == "MappingStartEvent":
            return self._mapping(event, depth)
        if kind == "SequenceStartEvent":
            return self._sequence(event, depth)
        return self._leaf(event, kind)

    def _leaf(self, event: Any, kind: str) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        if kind == "AliasEvent":
            anchor = str(event.anchor)
            return Node(kind="alias", start=start, content=start, end=end, anchor=anchor)
        style = event.style or ""
        if style in ("|", ">"):
            end = _block_scalar_end(self._text, start, end, event.value)
        return Node(
            kind="scalar",
            start=start,
            content=self._content(start, end),
            end=end,
            value=event.value,
            tag=_tag(event),
            anchor=event.anchor or "",
            style=style,
        )

    def _content(self, start: int, end: int) -> int:
        # The properties of a node (`&anchor`, `!tag`) stand before what it holds.
        found = _PROPERTIES.match(self._text, start, end)
        return found.end() if found else start

    def _mapping(self, event: Any, depth: int) -> Node:
        entries: list[tuple[Node, Node]] = []
        seen: set[str] = set()
        for part in self._events:
            if type(part).__name__ == "MappingEndEvent":
                return self._collection(event, part, entries=tuple(entries))
            key = self._node(part, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if key.kind == "scalar" and key.value != "<<":
                if key.value in seen:
                    raise self._refuse(f"`{key.value}` is written twice", part)
                seen.add(key.value)
            entries.append((key, self._placed(key, value)))
        raise AssertionError("a mapping without an end")

    def _sequence(self, event: Any, depth: int) -> Node:
        items: list[Node] = []
        for part in self._events:
            if type(part).__name__ == "SequenceEndEvent":
                return self._collection(event, part, items=tuple(items))
            items.append(self._dashed(self._node(part, depth + 1)))
        raise AssertionError("a sequence without an end")

    def _collection(
        self,
        event: Any,
        closing: Any,
        entries: tuple[tuple[Node, Node], ...] = (),
        items: tuple[Node, ...] = (),
    ) -> Node:
        start = event.start_mark.index
        is_flow = bool(event.flow_style)
        content = event.end_mark.index - 1 if is_flow else self._content(start, len(self._text))
        if is_flow:
            end = closing.end_mark.index
        else:
            end = entries[-1][1].end if entries else items[-1].end
        return Node(
            kind="mapping" if type(event).__name__ == "MappingStartEvent" else "sequence",
            start=start,
            content=content,
            end=end,
            tag=_tag(event),
            anchor=event.anchor or "",
            is_flow=is_flow,
            entries=entries,
            items=items,
        )

    def _placed(self, key: Node, value: Node) -> Node:
        """A value of nothing, placed behind its key's colon: the parser places it further on."""
        if value.kind != "scalar" or value.start != value.end:
            return value
        colon = _COLON.match(self._text, key.end)
        place = colon.end() if colon else key.end
        return msgspec.structs.replace(value, start=place, content=place, end=place)

    def _dashed(self, item: Node) -> Node:
        """An item of nothing, placed behind its dash."""
        if item.kind != "scalar" or item.start != item.end:
            return item
        dash = self._text.rfind("-", 0, item.start)
        place = dash + 1 if not self._text[dash + 1 : item.start].strip() else item.start
        return msgspec.structs.replace(item, start=place, content=place, end=place)


def _block_scalar_end(text: str, start: int, end: int, value: str) -> int:
    """The end of a block scalar's last line; of the blank ones too where they are kept (`|+`)."""
    header = text[start:end].split("\n", 1)[0].split("#", 1)[0]
    kept = "+" in header
    stripped = text[start:end].rstrip("\r\n" if kept else " \t\r\n")
    if not kept:
        return start + len(stripped)
    tail = text[start + len(stripped) : end]
    return end - (2 if tail.endswith("\r\n") else 1 if tail.endswith("\n") else 0)


def _tag(event: Any) -> str:
    tag = getattr(event, "tag", None)
    return "" if tag is None else str(tag)


def _malformed(error: Any, name: str) -> EnvstageError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    where = f"{name}:{mark.line + 1}" if mark is not None else name
    return EnvstageError(f"is not YAML: {problem}", where=where)
