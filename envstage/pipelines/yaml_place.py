"""Where new lines go in a YAML text, and which lines an entry or item takes with it.

Nothing here checks what the result says: `yaml_splice` does, once all edits are made.
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from envstage.pipelines.yaml_tree import Node, Path
from envstage.pipelines.yaml_values import Data, Flow, Layout, inline

_COMMA: Final = re.compile(r" *(?:, *)?")


class Splice(msgspec.Struct, frozen=True):
    """What stands from `start` to `end` of a text gives way to `new`."""

    start: int
    end: int
    new: str = ""


def spliced(text: str, splices: Iterable[Splice]) -> str | None:
    """The text with splices in the order of their places; nothing if two of them overlap."""
    parts: list[str] = []
    reached = 0
    for each in splices:
        if each.start < reached:
            return None
        parts += (text[reached : each.start], each.new)
        reached = each.end
    return "".join((*parts, text[reached:]))


def inserted(
    text: str,
    root: Node | None,
    path: Path,
    new: tuple[str | int | None, Data],
    layout: Layout,
    *,
    is_first: bool = True,
) -> tuple[Splice, ...] | None:
    """What puts a new entry (key, value) or item (nothing, value) into the collection there.

    `is_first`: the collection, should it be empty, gets no other one before.
    """
    key, value = new
    lines = layout.item(value) if key is None else layout.entry(str(key), value)
    if root is None:
        place = len(text.rstrip("\r\n")) if text.strip() else 0
        return (_below_line(text, place, lines, 0),)
    node = root.at(path)
    if node is None or (node.is_empty and not node.is_flow and not node.is_null):
        return None
    if node.is_flow:
        return (_insert_flow(node, _flow_part(key, value), is_first),)
    if node.is_null:
        return _fill_null(text, root, path, new, layout)
    first = node.items[0] if node.items else node.entries[0][0]
    column = _dash_column(text, first) if node.items else column_of(text, first.start)
    return None if column is None else (_below_line(text, node.end, lines, column),)


def _below_line(text: str, place: int, lines: tuple[str, ...], column: int) -> Splice:
    newline = newline_of(text)
    block = newline.join(" " * column + line for line in lines)
    end = text.find("\n", place)
    if end < 0:
        # No line break at the end of the file before, none after.
        return Splice(len(text), len(text), newline + block if text else block + newline)
    return Splice(end + 1, end + 1, block + newline)


def _insert_flow(node: Node, part: str, is_first: bool) -> Splice:
    if node.is_empty:
        place = node.content + 1
        return Splice(place, place, part if is_first else f", {part}")
    place = node.items[-1].end if node.items else node.entries[-1][1].end
    return Splice(place, place, f", {part}")


def _flow_part(key: str | int | None, value: Data) -> str:
    written = inline(Flow(value), in_flow=True)
    return written if key is None else f"{inline(str(key), in_flow=True)}: {written}"


def _fill_null(
    text: str, root: Node, path: Path, new: tuple[str | int | None, Data], layout: Layout
) -> tuple[Splice, ...] | None:
    """What puts the first entry or item below a key that has no value yet."""
    parent, (key, value) = root.at(path[:-1]), new
    if parent is None or not path or not isinstance(path[-1], str):
        return None
    pair = parent.entry(path[-1])
    if pair is None:
        return None
    owner, nothing = pair
    if parent.is_flow:
        opened, closed = ("[", "]") if key is None else ("{", "}")
        lead = " " if text[nothing.start - 1] == ":" else ""
        part = f"{lead}{opened}{_flow_part(key, value)}{closed}"
        return (Splice(nothing.start, nothing.end, part),)
    lines = layout.item(value) if key is None else layout.entry(str(key), value)
    column = column_of(text, owner.start) + (layout.dash if key is None else layout.unit)
    below = _below_line(text, nothing.end, lines, column)
    if nothing.value:  # `null` or `~` is written: it goes
        return (Splice(_behind(text, nothing.content, " \t"), nothing.end), below)
    return (below,)


def cut(text: str, parent: Node, step: str | int) -> Splice | None:
    """What takes an entry or item out; nothing if it does not have its lines to itself."""
    if parent.is_flow:
        return _cut_flow(text, parent, step)
    if isinstance(step, int):
        node, dash = parent.items[step], dash_before(text, parent.items[step])
        start, end = (-1 if dash is None else dash), node.end
    else:
        pair = parent.entry(step)
        if pair is None:
            return None
        start, end = pair[0].start, pair[1].end
    line = text.rfind("\n", 0, max(start, 0)) + 1
    if start < 0 or text[line:start].strip(" "):
        return None
    below = text.find("\n", end)
    if below >= 0:
        return Splice(line, below + 1)
    for newline in ("\r\n", "\n"):
        if text.endswith(newline, 0, line):
            return Splice(line - len(newline), len(text))
    return Splice(line, len(text))


def _cut_flow(text: str, parent: Node, step: str | int) -> Splice:
    spans = [(each.start, each.end) for each in parent.items] or [
        (key.start, value.end) for key, value in parent.entries
    ]
    keys = [key.value for key, _ in parent.entries]
    index = step if isinstance(step, int) else keys.index(step)
    start, end = spans[index]
    if index and "\n" not in text[spans[index - 1][1] : start]:
        return Splice(spans[index - 1][1], end)
    found = _COMMA.match(text, end)
    rest = found.end() if found else end
    line = text.rfind("\n", 0, start) + 1
    if not text[line:start].strip(" ") and text[rest : rest + 1] in ("\r", "\n"):
        # It stood on a line of its own.
        return Splice(_behind(text, start, " "), text.find("\n", rest) + 1 or len(text))
    return Splice(start, rest)


# -- what the file looks like --------------------------------------------------------------------


def layout_of(text: str, root: Node | None) -> Layout:
    """The indentation of the first nested mapping and the first list."""
    unit = dash = -1
    left = deque([root] if root is not None else [])
    while left and (unit < 0 or dash < 0):
        node = left.popleft()
        if node.is_flow:
            continue
        for key, value in node.entries:
            if value.is_flow or value.start <= key.end:
                continue
            if value.entries and unit < 0:
                unit = column_of(text, value.entries[0][0].start) - column_of(text, key.start)
            if value.items and dash < 0:
                column = _dash_column(text, value.items[0])
                dash = -1 if column is None else column - column_of(text, key.start)
            left.append(value)
        left.extend(node.items)
    unit = unit if unit > 0 else 2
    return Layout(unit=unit, dash=dash if dash >= 0 else unit)


def column_of(text: str, offset: int) -> int:
    """How many characters of its line are before an offset."""
    return offset - text.rfind("\n", 0, offset) - 1


def dash_before(text: str, item: Node) -> int | None:
    """The offset of the dash before an item."""
    end = _behind(text, item.start, " \t\r\n")
    return end - 1 if text.endswith("-", 0, end) else None


def _dash_column(text: str, item: Node) -> int | None:
    dash = dash_before(text, item)
    return None if dash is None else column_of(text, dash)


def _behind(text: str, offset: int, blanks: str) -> int:
    """The end of what stands before an offset and the blanks before it."""
    while offset and text[offset - 1] in blanks:
        offset -= 1
    return offset


def newline_of(text: str) -> str:
    """The line break that a text uses."""
    end = text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"
