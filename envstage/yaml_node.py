"""YAML read from its nodes: every complaint names file, line and key, and text stays as written.

A configuration is input that anybody's pull request may change: size, depth and expansion have
limits, and reaching one is an error in a line, not the end of the process.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from envstage.errors import EnvstageError

LIMIT_BYTES: Final = 1024 * 1024
LIMIT_DEPTH: Final = 32
LIMIT_NODES: Final = 100_000
# Deeper than any file that a person writes, and far from what ends a process: PyYAML recurses,
# in C without a limit (100,000 levels crash), in Python up to the limit of 1000 frames.
SAFE_DEPTH: Final = 200


class Node:
    """A YAML node with its place, read with complaints that name it."""

    def __init__(self, node: Any, file: str, path: tuple[str, ...] = ()) -> None:
        self.node = node
        self.file = file
        self.path = path

    @property
    def line(self) -> int:
        """The line where it starts, counted from 1."""
        return int(self.node.start_mark.line) + 1

    def complain(self, what: str, fix: str = "") -> EnvstageError:
        """An error that names the file, the line and the key."""
        key = ".".join(self.path)
        where = f"{self.file}:{self.line}"
        return EnvstageError(what, where=f"{where}: {key}" if key else where, fix=fix)

    @property
    def is_null(self) -> bool:
        """Whether nothing is written here."""
        return bool(self.node.tag == "tag:yaml.org,2002:null")

    def text(self) -> str:
        """A scalar as it is written."""
        if self.node.id != "scalar" or self.is_null:
            raise self.complain("a text is expected here")
        word = str(self.node.value)
        if not word or not word.isprintable():
            raise self.complain("a text of printable characters is expected here")
        return word

    def flag(self) -> bool:
        """`true` or `false`."""
        if self.node.id == "scalar" and self.node.value in ("true", "false"):
            return bool(self.node.value == "true")
        raise self.complain("`true` or `false` is expected here")

    def whole(self, least: int, most: int) -> int:
        """A whole number within bounds."""
        if self.node.id == "scalar" and re.fullmatch(r"[0-9]{1,9}", self.node.value):
            number = int(self.node.value)
            if least <= number <= most:
                return number
        raise self.complain(f"a whole number from {least} to {most} is expected here")

    def choice(self, words: tuple[str, ...]) -> str:
        """One of a few words."""
        word = self.text()
        if word not in words:
            near = nearest(word, words)
            raise self.complain(f"`{word}` is none of {', '.join(words)}", near)
        return word

    def texts(self) -> tuple[str, ...]:
        """A list of texts without repetition, in the order written."""
        if self.is_null:
            return ()
        if self.node.id != "sequence":
            raise self.complain("a list is expected here", "Write it as [one, two]")
        items = [
            Node(item, self.file, (*self.path, str(index))).text()
            for index, item in enumerate(self.node.value)
        ]
        return tuple(dict.fromkeys(items))

    def entries(self) -> Iterator[tuple[str, "Node", "Node"]]:
        """The entries of a mapping: key, the key's node, the value's node."""
        if self.is_null:
            return
        if self.node.id != "mapping":
            raise self.complain("a mapping is expected here", "Write it as `key: value` lines")
        seen: set[str] = set()
        for key_node, value_node in self.node.value:
            key = Node(key_node, self.file, self.path).text()
            if key in seen:
                raise Node(key_node, self.file, (*self.path, key)).complain("written twice")
            seen.add(key)
            path = (*self.path, key)
            yield key, Node(key_node, self.file, path), Node(value_node, self.file, path)

    def fields(self, readers: Mapping[str, tuple[str, Callable[["Node"], Any]]]) -> dict[str, Any]:
        """A mapping with known keys only: key → (field, reader)."""
        values: dict[str, Any] = {}
        for key, key_node, value in self.entries():
            if key not in readers:
                near = nearest(key, readers) or f"Known keys: {', '.join(sorted(readers))}"
                raise key_node.complain(f"`{key}` is not a setting", near)
            if not value.is_null:
                field, reader = readers[key]
                values[field] = reader(value)
        return values


def compose(path: str, name: str) -> Node | None:
    """The root node of a YAML file; nothing if it is not there or empty."""
    content = _content(path, name)
    return None if content is None else composed(content, name)


def composed(content: bytes, name: str) -> Node | None:
    """The root node of YAML that has been read already; nothing if it is empty."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_depth(content, name, loader)
        node = yaml.compose(content, Loader=loader)
    except yaml.YAMLError as error:
        raise _malformed(error, name, content) from None
    return None if node is None else Node(node, name)


def loaded(content: bytes, name: str) -> Any:
    """YAML as objects, for files of the pipeline: they may be large, and written by anybody.

    Raises:
        EnvstageError: not YAML, nested beyond measure, or merging beyond measure.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if _may_be_deep(content):
            _refuse_depth(content, name, loader)
        if b"<<" in content:
            _refuse_merges(yaml.compose(content, Loader=loader), name)
        return yaml.load(content, Loader=loader)
    except yaml.YAMLError as error:
        raise _malformed(error, name, content) from None
    except (ValueError, RecursionError, OverflowError, TypeError, AttributeError) as error:
        # A date that is none, an integer of a million digits, a merge of itself.
        raise EnvstageError(f"is not YAML: {type(error).__name__}", where=name) from None


def _content(path: str, name: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvstageError(f"cannot be read: {error.strerror}", where=name) from None
    if len(content) > LIMIT_BYTES:
        raise EnvstageError(
            "larger than 1 MiB",
            where=name,
            fix="Write the configuration into envstage.yaml, and data elsewhere",
        )
    return content


def _malformed(error: Any, name: str, content: bytes) -> EnvstageError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else _line_of_byte(error, content)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    # `where: {hardware.gpu.models: *H100*}`: to YAML a star begins the name of an alias.
    is_star = "alias" in (getattr(error, "context", None) or "") or "alias" in problem
    return EnvstageError(
        f"is not YAML: {problem}",
        where=f"{name}:{line}",
        fix='Quote a text that begins with a star: "*H100*"' if is_star else "",
    )


def _line_of_byte(error: Any, content: bytes) -> int:
    """The line of a byte that YAML cannot read: such errors count bytes, not lines."""
    return content.count(b"\n", 0, getattr(error, "position", None) or 0) + 1


def _refuse_depth(content: bytes, name: str, loader: Any) -> None:
    """Refuse nesting that ends the process: PyYAML's C composer recurses on the C stack."""
    # One level needs a byte at least; this much nesting is within every thread's stack.
    if len(content) <= SAFE_DEPTH:
        return
    import yaml

    depth = 0
    for event in yaml.parse(content, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > SAFE_DEPTH:
                raise _too_deep(name, event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _may_be_deep(content: bytes) -> bool:
    """Whether nesting can be deep: a level is an opening bracket, or a column further right."""
    brackets = content.count(b"[") + content.count(b"{")
    indents = (len(line) - len(line.lstrip(b" -?:\t")) for line in content.splitlines())
    return brackets + max(indents, default=0) > SAFE_DEPTH


def _refuse_merges(root: Any, name: str) -> None:
    """Refuse `<<` that copies entries without measure: PyYAML copies them one by one."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = LIMIT_NODES  # what merges itself
            merged = [value for key, value in node.value if key.value == "<<"]
            parts = [
                part
                for value in merged
                for part in (value.value if value.id == "sequence" else (value,))
            ]
            inner = sum(size(part) for part in parts if part.id == "mapping")
            sizes[id(node)] = len(node.value) + inner
        if sizes[id(node)] >= LIMIT_NODES:
            raise _too_deep(name, node.start_mark)
        return sizes[id(node)]

    seen: set[int] = set()
    stack = [root] if root is not None else []
    while stack:
        current = stack.pop()
        if id(current) in seen or current.id == "scalar":
            continue
        seen.add(id(current))
        if current.id == "mapping":
            if any(key.value == "<<" for key, _ in current.value):
                size(current)
            stack.extend(part for pair in current.value for part in pair)
        else:
            stack.extend(current.value)


def refuse_bombs(node: Any, name: str) -> None:
    """Refuse aliases that expand without measure, and nesting without end."""
    budget = LIMIT_NODES
    stack = [(node, 0)]
    while stack:
        current, depth = stack.pop()
        budget -= 1
        if depth > LIMIT_DEPTH or budget < 0:
            raise _too_deep(name, current.start_mark)
        if current.id == "sequence":
            stack.extend((item, depth + 1) for item in current.value)
        elif current.id == "mapping":
            stack.extend((part, depth + 1) for pair in current.value for part in pair)


def _too_deep(name: str, mark: Any) -> EnvstageError:
    return EnvstageError(
        "nested too deeply or expands without measure",
        where=f"{name}:{mark.line + 1}",
        fix="Write it without anchors and aliases",
    )


def nearest(word: str, known: Collection[str]) -> str:
    """What to do about a word that is not known: the nearest one that is."""
    import difflib  # only on the way to an error

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else ""
