"""Edits of one text that are worked out against one reading of it, and made together.

All places are those of the text as it was read. What one edit has changed the next cannot place:
it waits until the text with the edits so far has been read (`is_as_read`).
"""

import functools
from collections import Counter

from envstage.errors import EnvstageError
from envstage.pipelines.yaml_place import Splice, cut, inserted, layout_of, spliced
from envstage.pipelines.yaml_tree import Node, Path, parse
from envstage.pipelines.yaml_values import Data, Layout, Meaning, meaning
from envstage.pipelines.yaml_wanted import Wanted


class Batch:
    """A text as it was read, the splices so far, and what it is to say with them."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.root = parse(text, name=name)
        self._wanted = Wanted(_said(text, name))
        self._splices: list[tuple[Splice, int]] = []
        self._changed: set[Path] = set()
        self._edited: set[Path] = set()
        self._grown: Counter[Path] = Counter()
        self._gone: Counter[Path] = Counter()
        self.has_shrunk = False
        self._first_gone: dict[Path, int] = {}
        self._items: dict[Path, set[Meaning]] = {}

    # -- what is there -----------------------------------------------------------------------------

    def at(self, path: Path) -> Node | None:
        """The node at a path, as it was read."""
        return self.root.at(path) if self.root is not None else None

    def has(self, path: Path) -> bool:
        """Whether something stood there when it was read."""
        return self.at(path) is not None

    def is_as_read(self, path: Path) -> bool:
        """Whether no edit so far changed what stands at a path, or moved it."""
        for depth, step in enumerate(path):
            if path[:depth] in self._changed:
                return False
            if isinstance(step, int) and self._first_gone.get(path[:depth], step) < step:
                return False
        return path not in self._changed

    def has_grown(self, path: Path) -> bool:
        """Whether an edit so far put something into the collection there."""
        return self._grown[path] > 0

    def is_edited(self, path: Path) -> bool:
        """Whether an edit so far changed something below a path that was there."""
        return path in self._edited

    def count(self, path: Path) -> int:
        """How many entries or items the collection there has by now."""
        node = self.at(path)
        there = len(node.entries) + len(node.items) if node is not None else 0
        return there + self._grown[path] - self._gone[path]

    def items(self, path: Path) -> set[Meaning]:
        """What the items of the sequence there say."""
        if path not in self._items:
            node = self.at(path)
            self._items[path] = {meaning(each) for each in node.items} if node else set()
        return self._items[path]

    # -- what changes ------------------------------------------------------------------------------

    def put(self, path: Path, splices: tuple[Splice, ...], said: Meaning) -> None:
        """Let the splices say something else at a path."""
        self._mark(path, path)
        self._wanted.put(path, said)
        self._splices += [(each, len(path)) for each in splices]

    def insert(self, place: Path, value: Data, full: Path, said: Meaning) -> bool:
        """Put an entry or item at the end of a collection; whether that can be done.

        Args:
            place: that of the entry or item.
            value: what is written there.
            full: the place that was asked for: the same, or one below it.
            said: what is to be said there.
        """
        path, step = place[:-1], place[-1]
        is_first = not self._grown[path]
        new = (step if isinstance(step, str) else None, value)
        splices = inserted(self.text, self.root, path, new, self._layout, is_first=is_first)
        if splices is None:
            return False
        node = self.at(path)
        if node is not None and node.is_null:
            self._changed.add(path)
        self._grown[path] += 1
        self._mark(place, path)
        self._wanted.put(full, said)
        self._splices += [(each, len(path)) for each in splices]
        if isinstance(step, int):
            self.items(path).add(said)
        return True

    def remove(self, place: Path) -> bool:
        """Take an entry or item out of its collection; whether that can be done."""
        path, step = place[:-1], place[-1]
        node = self.at(path)
        splice = cut(self.text, node, step) if node is not None else None
        if splice is None:
            return False
        self.has_shrunk = True
        self._gone[path] += 1
        self._mark(place, place)
        self._wanted.drop(place)
        self._splices.append((splice, len(path)))
        if isinstance(step, int):
            self._first_gone[path] = min(step, self._first_gone.get(path, step))
        return True

    def result(self) -> str | None:
        """The text with all edits; nothing unless it then says what they ask, and nothing else."""
        after = spliced(self.text, (each for each, _ in sorted(self._splices, key=_order)))
        wanted = self._wanted.meaning()
        if wanted == ("mapping", ()) and self.root is not None and not self.root.is_flow:
            wanted = ("null",)
        try:
            is_said = after is not None and _said(after, self.name) == wanted
        except EnvstageError:
            return None
        return after if is_said else None

    def _mark(self, changed: Path, within: Path) -> None:
        self._changed.add(changed)
        self._edited.update(within[:depth] for depth in range(len(within)))

    @functools.cached_property
    def _layout(self) -> Layout:
        return layout_of(self.text, self.root)


def _order(placed: tuple[Splice, int]) -> tuple[int, int, int]:
    # Where several collections end in one line, the innermost grows first.
    splice, depth = placed
    return splice.start, splice.end, -depth


@functools.lru_cache(maxsize=16)
def _said(text: str, name: str) -> Meaning:
    """What a text says: one batch's result is what the next begins with."""
    return meaning(parse(text, name=name))
