"""Another text in the place of a YAML scalar: the candidates, the least intrusive first."""

import json
from collections.abc import Iterator

from envstage.pipelines.yaml_tree import Node
from envstage.pipelines.yaml_values import is_plain


def rewritten(text: str, node: Node, value: str, newline: str) -> Iterator[str]:
    """The text with `value` at the node, written in several ways; the caller takes what reads back.

    First only what differs is inserted or cut (folded lines and escapes stay), then the scalar is
    written again in its own style, then in quotes.
    """
    for span in (_grown(text, node, value), _shrunk(text, node, value)):
        if span is not None:
            yield span
    head, tail = text[: node.content], text[node.end :]
    if node.style in ("|", ">"):
        yield head + _block(text, node, value, newline) + tail
    else:
        for written in _one_line(node.style, value):
            yield head + written + tail


def _grown(text: str, node: Node, value: str) -> str | None:
    core = node.value.rstrip("\n")
    if not core or core not in value:
        return None
    before, _, after = value.partition(core)
    start, end = _inner(text, node)
    after = after.removesuffix("\n") if node.style in ("|", ">") else after
    lead, trail = _encoded(before, node.style), _encoded(after, node.style)
    return text[:start] + lead + text[start:end] + trail + text[end:]


def _shrunk(text: str, node: Node, value: str) -> str | None:
    core = value.rstrip("\n")
    if not core or core not in node.value:
        return None
    before, _, after = node.value.rstrip("\n").partition(core)
    start, end = _inner(text, node)
    lead, trail = _encoded(before, node.style), _encoded(after, node.style)
    inner = text[start:end]
    if not inner.startswith(lead) or not inner.endswith(trail):
        return None
    return text[:start] + inner[len(lead) : len(inner) - len(trail)] + text[end:]


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
