"""Another text in the place of a YAML scalar: the candidates, the least intrusive first."""

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.pipelines.yaml_place import Splice, column_of, dash_before, spliced
from envstage.pipelines.yaml_tree import Node, Path, parsed
from envstage.pipelines.yaml_values import Meaning, is_plain, meaning
from envstage.pipelines.yaml_wanted import Wanted

# A pipeline may be written on one line: each of its scalars would be looked at with all others.
_LOOKED_AT_MOST: Final = 1000


def rewritten(text: str, node: Node, value: str, newline: str) -> Iterator[tuple[Splice, ...]]:
    """What puts `value` at the node, written in several ways; the caller takes what reads back.

    First only what differs is inserted or cut (folded lines and escapes stay), then the scalar is
    written again in its own style, then in quotes.
    """
    for splices in (_grown(text, node, value), _shrunk(text, node, value)):
        if splices is not None:
            yield splices
    if node.style in ("|", ">"):
        yield (Splice(node.content, node.end, _block(text, node, value, newline)),)
    else:
        for written in _one_line(node.style, value):
            yield (Splice(node.content, node.end, written),)


def likely(text: str, root: Node, path: Path, value: str, newline: str) -> tuple[Splice, ...]:
    """The first candidate that reads back in the lines around it.

    A look at a few lines finds nearly always what the whole text takes; that is looked at once,
    for all edits.
    """
    node = root.at(path)
    assert node is not None
    candidates = tuple(rewritten(text, node, value, newline))
    around = _around(text, root, path)
    if around is None:
        return candidates[0]
    return next((each for each in candidates if around.says(each, value)), candidates[0])


class _Lines(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one entry or item of a block collection, as a text of their own."""

    text: str
    path: Path
    """Where the scalar is in it."""
    moved: int
    """How much further on its places are in the whole text."""

    def says(self, splices: tuple[Splice, ...], value: str) -> bool:
        """Whether it reads back with a value at the scalar's place, and is else as it was."""
        here = (
            Splice(each.start - self.moved, each.end - self.moved, each.new) for each in splices
        )
        after = spliced(self.text, here)
        try:
            wanted = Wanted(_said(self.text))
            wanted.put(self.path, ("text", value))
            return after is not None and _said(after) == wanted.meaning()
        except EnvstageError:
            return False


def _said(text: str) -> Meaning:
    return meaning(parsed(text, name=""))


def _around(text: str, root: Node, path: Path) -> _Lines | None:
    """The lines of the nearest entry or item that has lines to itself, if there is one."""
    for depth in range(len(path) - 1, -1, -1):
        above = root.at(path[:depth])
        if above is not None and not above.is_flow:
            return _lines_of(text, above, path[depth:])
    return None


def _lines_of(text: str, above: Node, path: Path) -> _Lines | None:
    step = path[0]
    if isinstance(step, int):
        start, end, step = dash_before(text, above.items[step]), above.items[step].end, 0
    else:
        pair = above.entry(step)
        start, end = (pair[0].start, pair[1].end) if pair is not None else (None, 0)
    if start is None:
        return None
    indent = " " * column_of(text, start)
    end = text.find("\n", end) + 1 or len(text)
    if end - start > _LOOKED_AT_MOST:
        return None
    return _Lines(text=indent + text[start:end], path=(step, *path[1:]), moved=start - len(indent))


def _grown(text: str, node: Node, value: str) -> tuple[Splice, ...] | None:
    core = node.value.rstrip("\n")
    if not core or core not in value:
        return None
    before, _, after = value.partition(core)
    start, end = _inner(text, node)
    after = after.removesuffix("\n") if node.style in ("|", ">") else after
    lead, trail = _encoded(before, node.style), _encoded(after, node.style)
    return Splice(start, start, lead), Splice(end, end, trail)


def _shrunk(text: str, node: Node, value: str) -> tuple[Splice, ...] | None:
    core = value.rstrip("\n")
    if not core or core not in node.value:
        return None
    before, _, after = node.value.rstrip("\n").partition(core)
    start, end = _inner(text, node)
    lead, trail = _encoded(before, node.style), _encoded(after, node.style)
    inner = text[start:end]
    if not inner.startswith(lead) or not inner.endswith(trail):
        return None
    return Splice(start, start + len(lead)), Splice(end - len(trail), end)


def _inner(text: str, node: Node) -> tuple[int, int]:
    """The span of a scalar's own characters, within its quotes or below its block header."""
    if node.style in ("'", '"'):
        return node.content + 1, node.end - 1
    if node.style not in ("|", ">"):
        return node.content, node.end
    start = text.find("\n", node.content, node.end) + 1
    while start < node.end and text[start] in " \r\n":
        start += 1
    return start, node.end


def _encoded(part: str, style: str) -> str:
    if style == "'":
        return part.replace("'", "''")
    return json.dumps(part, ensure_ascii=False)[1:-1] if style == '"' else part


def _block(text: str, node: Node, value: str, newline: str) -> str:
    header = text[node.content : node.end].partition("\n")[0].rstrip("\r")
    core = value.rstrip("\n")
    if "\n" in core:
        header = header.replace(">", "|", 1)
    start, _ = _inner(text, node)
    indent = " " * (start - text.rfind("\n", 0, start) - 1)
    lines = (indent + line if line else "" for line in core.split("\n"))
    return header + newline + newline.join(lines)


def _one_line(style: str, value: str) -> Iterator[str]:
    if not style and is_plain(value, in_flow=False):
        yield value
    if style != '"' and value.isprintable():
        yield "'" + value.replace("'", "''") + "'"
    yield json.dumps(value, ensure_ascii=False)
