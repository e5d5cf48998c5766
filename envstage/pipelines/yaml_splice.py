"""Edits of YAML text by splicing: every byte that an edit is not about stays.

A round trip through a YAML library re-indents, drops quotes and reflows flow lists. Here the
parser only says where things stand; the text is cut and joined at those offsets. After every
edit both texts are read again: they must differ in exactly what was asked, or the edit is refused
and the user gets the lines to write.
"""

import functools
from collections.abc import Callable

from envstage.errors import EnvstageError
from envstage.pipelines import yaml_scalar
from envstage.pipelines.yaml_place import cut, inserted, layout_of, newline_of
from envstage.pipelines.yaml_tree import Node, Path, parse
from envstage.pipelines.yaml_values import (
    Data,
    Flow,
    Meaning,
    inline,
    meaning,
    meaning_of,
    replaced,
)

BOM = "\ufeff"


def add_entry(text: str, path: Path, key: str, value: Data, *, name: str = "the file") -> str:
    """The text with an entry at the end of the mapping at `path`; missing mappings are added.

    An entry that is there and says the same is left alone.

    Raises:
        EnvstageError: the key is there with another value, or the text cannot be edited safely.
    """
    text, join = _without_bom(text)
    root = parse(text, name=name)
    there = root.at((*path, key)) if root else None
    if there is not None and (not there.is_null or value is None):
        if meaning(there) == meaning_of(value):
            return join(text)
        raise EnvstageError(f"`{_dotted((*path, key))}` is there already", where=name)
    full: Path = (*path, key)
    depth = _existing(root, full)
    _refuse_shared(root, full, depth, value, name)
    below: Data = value
    for step in reversed(full[depth + 1 :]):
        below = {str(step): below}
    after = inserted(text, root, full[:depth], (full[depth], below), layout_of(text, root))
    return join(_checked(text, after, full, meaning_of(value), value, name))


def append_item(text: str, path: Path, item: Data, *, name: str = "the file") -> str:
    """The text with an item at the end of the sequence at `path`; a missing sequence is added.

    An equal item that is there already is enough.

    Raises:
        EnvstageError: something else than a sequence is there, or it cannot be edited safely.
    """
    whole, (text, join) = text, _without_bom(text)
    root = parse(text, name=name)
    there = root.at(path) if root else None
    if there is None:
        return add_entry(whole, path[:-1], str(path[-1]), (item,), name=name)
    if there.kind not in ("sequence", "alias") and not there.is_null:
        raise EnvstageError(f"`{_dotted(path)}` is no list", where=name, fix="Write it as a list")
    if any(meaning(each) == meaning_of(item) for each in there.items):
        return whole
    full: Path = (*path, len(there.items))
    _refuse_shared(root, full, len(path), item, name)
    after = inserted(text, root, path, (None, item), layout_of(text, root))
    return join(_checked(text, after, full, meaning_of(item), item, name))


def replace_scalar(text: str, path: Path, value: str, *, name: str = "the file") -> str:
    """The text with another text at `path`, in the style of the old one where that can hold it.

    Where one of the two contains the other, only what differs is inserted or cut out.

    Raises:
        EnvstageError: no scalar is there, or it cannot be edited safely.
    """
    text, join = _without_bom(text)
    root = parse(text, name=name)
    node = root.at(path) if root else None
    if node is None or root is None or node.kind != "scalar":
        raise _by_hand(path, value, name, f"`{_dotted(path)}` is no scalar")
    if meaning(node) == meaning_of(value):
        return join(text)
    wanted = replaced(_meant(text, name), path, ("text", value))
    for after in yaml_scalar.rewritten(text, node, value, newline_of(text)):
        if _says(after, wanted, name):
            return join(after)
    raise _by_hand(path, value, name)


def remove(text: str, path: Path, *, name: str = "the file") -> str:
    """The text without the entry or item at `path`; what is not there needs no removing.

    It goes with its lines and the comment behind it. A block collection that would be left
    empty goes too; a flow one stays as `[]`.
    """
    text, join = _without_bom(text)
    root = parse(text, name=name)
    node = root.at(path) if root else None
    if root is None or node is None or not path:
        return join(text)
    parent = root.at(path[:-1])
    assert parent is not None
    while not parent.is_flow and len(parent.entries) + len(parent.items) == 1 and len(path) > 1:
        path, node = path[:-1], parent
        parent = root.at(path[:-1])
        assert parent is not None
    after = cut(text, parent, path[-1])
    wanted = replaced(_meant(text, name), path, None)
    if wanted == ("mapping", ()) and not parent.is_flow:
        wanted = ("null",)
    if after is None or not _says(after, wanted, name):
        raise EnvstageError(
            "cannot be edited without disturbing it",
            where=name,
            fix=f"Remove `{_dotted(path)}` by hand",
        )
    return join(after)


def _existing(root: Node | None, path: Path) -> int:
    """How many steps of a path lead to something that is there (its last step never does)."""
    for depth in range(len(path) - 1, 0, -1):
        if root is not None and root.at(path[:depth]) is not None:
            return depth
    return 0


def _refuse_shared(root: Node | None, path: Path, depth: int, value: Data, name: str) -> None:
    """Refuse what aliases and merge keys share: an edit there would act elsewhere too."""
    for length in range(depth + 1):
        node = root.at(path[:length]) if root else None
        if node is None:
            continue
        is_merged = length == depth and any(key.value == "<<" for key, _ in node.entries)
        if node.kind == "alias" or is_merged:
            raise _by_hand(path, value, name, "it is shared through an anchor")


def _checked(
    text: str,
    after: str | None,
    path: Path,
    said: Meaning,
    value: Data,
    name: str,
) -> str:
    if after is None or not _says(after, replaced(_meant(text, name), path, said), name):
        raise _by_hand(path, value, name)
    return after


def _says(text: str, wanted: Meaning, name: str) -> bool:
    try:
        return _meant(text, name) == wanted
    except EnvstageError:
        return False


@functools.lru_cache(maxsize=16)
def _meant(text: str, name: str) -> Meaning:
    """What a text says: one edit's result is what the next begins with."""
    return meaning(parse(text, name=name))


def _by_hand(path: Path, value: Data, name: str, why: str = "") -> EnvstageError:
    lines: Data = value
    for step in reversed(path):
        lines = (lines,) if isinstance(step, int) else {step: lines}
    because = f" ({why})" if why else ""
    return EnvstageError(
        f"cannot be edited without disturbing it{because}",
        where=name,
        fix=f"Add these lines by hand: {inline(Flow(lines))[1:-1]}",
    )


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _without_bom(text: str) -> tuple[str, Callable[[str], str]]:
    bom = BOM if text.startswith(BOM) else ""
    return text.removeprefix(BOM), lambda edited: bom + edited
