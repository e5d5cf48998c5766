"""Where new lines go in a YAML text, and which lines an entry or item takes with it.

Nothing here checks what the result says: `yaml_splice` does, after every edit.
"""

from envstage.pipelines.yaml_tree import Node, Path
from envstage.pipelines.yaml_values import Data, Flow, Layout, inline


def inserted(
    text: str, root: Node | None, path: Path, new: tuple[str | int | None, Data], layout: Layout
) -> str | None:
    """The text with a new entry (key, value) or item (nothing, value) in the collection there."""
    key, value = new
    lines = layout.item(value) if key is None else layout.entry(str(key), value)
    if root is None:
        return _below_line(text, len(text.rstrip("\r\n")) if text.strip() else 0, lines, 0)
    node = root.at(path)
    if node is None or (node.is_empty and not node.is_flow and not node.is_null):
        return None
    if node.is_flow:
        return _insert_flow(text, node, _flow_part(key, value))
    if node.is_null:
        return _fill_null(text, root, path, new, layout)
    first = node.items[0] if node.items else node.entries[0][0]
    column = _dash_column(text, first) if node.items else _column(text, first.start)
    return None if column is None else _below_line(text, node.end, lines, column)


def _below_line(text: str, place: int, lines: tuple[str, ...], column: int) -> str:
    newline = newline_of(text)
    block = newline.join(" " * column + line for line in lines)
    end = text.find("\n", place)
    if end < 0:
        # No line break at the end of the file before, none after.
        return text + newline + block if text else block + newline
    return text[: end + 1] + block + newline + text[end + 1 :]


def _insert_flow(text: str, node: Node, part: str) -> str:
    if node.is_empty:
        place = node.content + 1
        return text[:place] + part + text[place:]
    place = node.items[-1].end if node.items else node.entries[-1][1].end
    return f"{text[:place]}, {part}{text[place:]}"


def _flow_part(key: str | int | None, value: Data) -> str:
    written = inline(Flow(value), in_flow=True)
    return written if key is None else f"{inline(str(key), in_flow=True)}: {written}"


def _fill_null(
    text: str, root: Node, path: Path, new: tuple[str | int | None, Data], layout: Layout
) -> str | None:
    """The text with the first entry or item below a key that has no value yet."""
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
        return text[: nothing.start] + part + text[nothing.end :]
    lines = layout.item(value) if key is None else layout.entry(str(key), value)
    column = _column(text, owner.start) + (layout.dash if key is None else layout.unit)
    if nothing.value:  # `null` or `~` is written: it goes
        head = text[: nothing.content].rstrip(" \t")
        text = head + text[nothing.end :]
        return _below_line(text, len(head), lines, column)
    return _below_line(text, nothing.end, lines, column)


def cut(text: str, parent: Node, step: str | int) -> str | None:
    """The text without an entry or item; nothing if it does not have its lines to itself."""
    if parent.is_flow:
        return _cut_flow(text, parent, step)
    if isinstance(step, int):
        node, dash = parent.items[step], _dash(text, parent.items[step])
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
        return text[:line] + text[below + 1 :]
    return text[:line].removesuffix("\n").removesuffix("\r")


def _cut_flow(text: str, parent: Node, step: str | int) -> str | None:
    spans = [(each.start, each.end) for each in parent.items] or [
        (key.start, value.end) for key, value in parent.entries
    ]
    keys = [key.value for key, _ in parent.entries]
    index = step if isinstance(step, int) else keys.index(step)
    start, end = spans[index]
    if index and "\n" not in text[spans[index - 1][1] : start]:
        return text[: spans[index - 1][1]] + text[end:]
    rest = text[end:].lstrip(" ")
    if rest.startswith(","):
        rest = rest[1:].lstrip(" ")
    head = text[:start]
    if not head.rpartition("\n")[2].strip(" ") and rest[:1] in ("\r", "\n"):
        return head.rstrip(" ") + rest.partition("\n")[2]  # it stood on a line of its own
    return head + rest


# -- what the file looks like --------------------------------------------------------------------


def layout_of(text: str, root: Node | None) -> Layout:
    """The indentation of the first nested mapping and the first list."""
    units: list[int] = []
    dashes: list[int] = []
    stack = [root] if root is not None else []
    while stack:
        node = stack.pop(0)
        if node.is_flow:
            continue
        for key, value in node.entries:
            if value.is_flow or value.start <= key.end:
                continue
            if value.entries:
                units.append(_column(text, value.entries[0][0].start) - _column(text, key.start))
            if value.items:
                column = _dash_column(text, value.items[0])
                if column is not None:
                    dashes.append(column - _column(text, key.start))
            stack.append(value)
        stack.extend(node.items)
    unit = units[0] if units and units[0] > 0 else 2
    return Layout(unit=unit, dash=dashes[0] if dashes and dashes[0] >= 0 else unit)


def _column(text: str, offset: int) -> int:
    return offset - text.rfind("\n", 0, offset) - 1


def _dash(text: str, item: Node) -> int | None:
    """The offset of the dash before an item."""
    head = text[: item.start].rstrip(" \t\r\n")
    return len(head) - 1 if head.endswith("-") else None


def _dash_column(text: str, item: Node) -> int | None:
    dash = _dash(text, item)
    return None if dash is None else _column(text, dash)


def newline_of(text: str) -> str:
    """The line break that a text uses."""
    end = text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"
