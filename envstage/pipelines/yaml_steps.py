"""The edits: what each asks of a text, where it finds its place, and what it refuses.

A step is planned against a batch of those before it. Where one of them has changed what it is
about, it says so, and is planned again once the text with them has been read.
"""

from collections.abc import Iterator

import msgspec

from envstage.errors import EnvstageError
from envstage.pipelines.yaml_batch import Batch
from envstage.pipelines.yaml_place import newline_of
from envstage.pipelines.yaml_scalar import likely, rewritten
from envstage.pipelines.yaml_tree import Path
from envstage.pipelines.yaml_values import Data, Flow, inline, meaning, meaning_of


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One edit, of what stands at a path."""

    path: Path

    def plan(self, batch: Batch) -> bool:
        """Add it to a batch; whether it goes together with those before it.

        Raises:
            EnvstageError: it cannot be made where it is asked for.
        """
        raise NotImplementedError

    def ways(self, batch: Batch) -> "Iterator[Step]":
        """The ways in which it can be written, the least intrusive first."""
        yield self

    def refusal(self, batch: Batch) -> EnvstageError:
        """What to say if none of them says what is asked and nothing else."""
        raise NotImplementedError


class AddEntry(Step, frozen=True, kw_only=True):
    """An entry at the end of a mapping, with the mappings above it that are missing."""

    value: Data

    def plan(self, batch: Batch) -> bool:
        """Find the place; an entry that says the same is enough."""
        if batch.has_shrunk or not batch.is_as_read(self.path):
            return False
        there = batch.at(self.path)
        if there is not None and (not there.is_null or self.value is None):
            if meaning(there) == meaning_of(self.value):
                return True
            raise EnvstageError(f"`{dotted(self.path)}` is there already", where=batch.name)
        depth = next((n for n in range(len(self.path) - 1, 0, -1) if batch.has(self.path[:n])), 0)
        _refuse_shared(batch, self.path, depth, self.value)
        below: Data = self.value
        for step in reversed(self.path[depth + 1 :]):
            below = {str(step): below}
        place, said = self.path[: depth + 1], meaning_of(self.value)
        if isinstance(place[-1], int) or not batch.insert(place, below, self.path, said):
            raise self.refusal(batch)
        return True

    def refusal(self, batch: Batch) -> EnvstageError:
        """The lines to write."""
        return _by_hand(self.path, self.value, batch.name)


class AppendItem(Step, frozen=True, kw_only=True):
    """An item at the end of a sequence, which is added where it is missing."""

    item: Data

    def plan(self, batch: Batch) -> bool:
        """Find the place; an equal item is enough."""
        if batch.has_shrunk or not batch.is_as_read(self.path):
            return False
        there = batch.at(self.path)
        if there is None:
            return AddEntry(path=self.path, value=(self.item,)).plan(batch)
        if there.kind not in ("sequence", "alias") and not there.is_null:
            raise EnvstageError(
                f"`{dotted(self.path)}` is no list", where=batch.name, fix="Write it as a list"
            )
        if batch.is_edited(self.path):
            return False
        said = meaning_of(self.item)
        if said in batch.items(self.path):
            return True
        place = (*self.path, batch.count(self.path))
        _refuse_shared(batch, place, len(self.path), self.item)
        if not batch.insert(place, self.item, place, said):
            raise self.refusal(batch)
        return True

    def refusal(self, batch: Batch) -> EnvstageError:
        """The lines to write."""
        return _by_hand(self.path, (self.item,), batch.name)


class ReplaceScalar(Step, frozen=True, kw_only=True):
    """Another text at a path, in the style of the old one where that can hold it.

    `way`: which of the candidates; left out, the first that seems to read back.
    """

    value: str
    way: int | None = None

    def plan(self, batch: Batch) -> bool:
        """Find the scalar, and what to splice."""
        if not batch.is_as_read(self.path):
            return False
        node = batch.at(self.path)
        if node is None or node.kind != "scalar" or batch.root is None:
            raise _by_hand(self.path, self.value, batch.name, f"`{dotted(self.path)}` is no scalar")
        said = meaning_of(self.value)
        if meaning(node) == said:
            return True
        newline = newline_of(batch.text)
        if self.way is None:
            chosen = likely(batch.text, batch.root, self.path, self.value, newline)
        else:
            chosen = tuple(rewritten(batch.text, node, self.value, newline))[self.way]
        batch.put(self.path, chosen, said)
        return True

    def ways(self, batch: Batch) -> Iterator[Step]:
        """Every candidate."""
        node = batch.at(self.path)
        if node is not None:
            newline = newline_of(batch.text)
            for way, _ in enumerate(rewritten(batch.text, node, self.value, newline)):
                yield msgspec.structs.replace(self, way=way)

    def refusal(self, batch: Batch) -> EnvstageError:
        """The lines to write."""
        return _by_hand(self.path, self.value, batch.name)


class Remove(Step, frozen=True, kw_only=True):
    """No entry or item at a path, and no block collection that it would leave empty."""

    def plan(self, batch: Batch) -> bool:
        """Find what goes; what is not there needs no removing."""
        if not batch.is_as_read(self.path):
            return False
        if not self.path or batch.at(self.path) is None:
            return True
        place = self._place(batch)
        above = batch.at(place[:-1])
        is_in_flow = above is not None and above.is_flow
        if batch.is_edited(place) or batch.has_grown(place):
            return False
        if is_in_flow and batch.has_grown(place[:-1]):  # commas between
            return False
        if not batch.remove(place):
            raise self.refusal(batch)
        return True

    def refusal(self, batch: Batch) -> EnvstageError:
        """What is to go."""
        return EnvstageError(
            "cannot be edited without disturbing it",
            where=batch.name,
            fix=f"Remove `{dotted(self._place(batch))}` by hand",
        )

    def _place(self, batch: Batch) -> Path:
        path = self.path
        while len(path) > 1 and batch.count(path[:-1]) == 1:
            above = batch.at(path[:-1])
            if above is None or above.is_flow:
                break
            path = path[:-1]
        return path


def dotted(path: Path) -> str:
    """A path as people write it."""
    return ".".join(str(step) for step in path)


def _refuse_shared(batch: Batch, path: Path, depth: int, value: Data) -> None:
    """Refuse what aliases and merge keys share: an edit there would act elsewhere too."""
    for length in range(depth + 1):
        node = batch.at(path[:length])
        if node is None:
            continue
        is_merged = length == depth and node.has_key("<<")
        if node.kind == "alias" or is_merged:
            raise _by_hand(path, value, batch.name, "it is shared through an anchor")


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
