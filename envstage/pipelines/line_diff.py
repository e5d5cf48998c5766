"""A unified diff, in time that grows with the length of the texts.

`difflib` looks through all that is left of both for each run of equal lines: where every stage of
a long file is edited, that takes time that grows with the square of the stages. A line that each
text holds just once is found without looking ("patience diff"); `difflib` does what lies between.
"""

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence


def unified_diff(
    old: Sequence[str], new: Sequence[str], old_name: str, new_name: str
) -> Iterator[str]:
    """The lines of a unified diff, as `difflib.unified_diff` has them; none if nothing differs."""
    groups = _Matcher(old, new).get_grouped_opcodes()
    for number, group in enumerate(groups):
        if not number:
            yield f"--- {old_name}\n"
            yield f"+++ {new_name}\n"
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from (f" {line}" for line in old[old_from:old_to])
                continue
            yield from (f"-{line}" for line in old[old_from:old_to])
            yield from (f"+{line}" for line in new[new_from:new_to])


class _Matcher(difflib.SequenceMatcher[str]):
    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self._old, self._new = old, new
        super().__init__(None, old, new)

    def get_matching_blocks(self) -> list[difflib.Match]:
        """The runs of equal lines, none next to another, and one of no lines at the end."""
        blocks: list[difflib.Match] = []
        for i, j, size in self._runs():
            before = blocks[-1] if blocks else difflib.Match(0, 0, 0)
            if before.size and (i, j) == (before.a + before.size, before.b + before.size):
                blocks[-1] = before._replace(size=before.size + size)
            else:
                blocks.append(difflib.Match(i, j, size))
        return [*blocks, difflib.Match(len(self._old), len(self._new), 0)]

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        i = j = 0
        for old_at, new_at in (*_anchors(self._old, self._new), (len(self._old), len(self._new))):
            if i < old_at and j < new_at:
                old, new = self._old[i:old_at], self._new[j:new_at]
                between = difflib.SequenceMatcher(None, old, new, autojunk=False)
                for a, b, size in between.get_matching_blocks()[:-1]:
                    yield i + a, j + b, size
            if old_at < len(self._old):
                yield old_at, new_at, 1
            i, j = old_at + 1, new_at + 1


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Where the lines that are once in both texts stand: as many as keep their order."""
    old_counts, new_counts = Counter(old), Counter(new)
    places = {line: place for place, line in enumerate(new) if new_counts[line] == 1}
    return _rising(
        [
            (i, places[line])
            for i, line in enumerate(old)
            if old_counts[line] == 1 and line in places
        ]
    )


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest choice of pairs whose second numbers rise as the first do."""
    lowest: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(lowest, place)
        before.append(last[length - 1] if length else -1)
        lowest[length : length + 1] = [place]
        last[length : length + 1] = [number]
    chosen = []
    number = last[-1] if last else -1
    while number >= 0:
        chosen.append(pairs[number])
        number = before[number]
    return chosen[::-1]


def _range(start: int, stop: int) -> str:
    if stop - start == 1:
        return f"{start + 1}"
    return f"{start + 1 if stop > start else start},{stop - start}"
