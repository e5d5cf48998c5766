"""A unified diff says what `difflib`'s does."""

import difflib
import re
import string

from hypothesis import given
from hypothesis import strategies as st

from envstage.pipelines.line_diff import unified_diff

STAGES = "".join(f"  s{n}:\n    cmd: run {n}\n    outs: [o{n}]\n" for n in range(60))
LINES = st.lists(st.sampled_from(string.ascii_lowercase[:9] + "\n"), max_size=30)


def patched(old: list[str], diff: list[str]) -> list[str]:
    """What `patch` makes of it: every line of the diff is where it says."""
    new: list[str] = []
    place = 0
    for line in diff[2:]:
        hunk = re.fullmatch(r"@@ -(\d+)(,0)?(?:,\d+)? \+\d+(?:,\d+)? @@\n", line)
        if hunk is not None:
            start = int(hunk[1]) - (hunk[2] is None)
            new += old[place:start]
            place = start
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[place] == line[1:]
            new += [line[1:]] if line[0] == " " else []
            place += 1
    return new + old[place:]


@given(LINES, LINES)
def test_a_diff_makes_one_of_the_other(old: list[str], new: list[str]) -> None:
    diff = list(unified_diff(old, new, "a", "b"))
    assert patched(old, diff) == new
    assert bool(diff) == (old != new)


def test_it_is_the_one_that_difflib_makes() -> None:
    old = STAGES.splitlines(keepends=True)
    for new in (
        STAGES.replace("cmd: run 7\n", "cmd: guard run 7\n"),
        re.sub(r"cmd: (run \d+)", r"cmd: guard \1", STAGES),
        re.sub(r"(outs: .*\n)", r"\1    deps:\n      - d\n", STAGES),
        STAGES.replace("  s9:\n    cmd: run 9\n    outs: [o9]\n", ""),
        STAGES + "params:\n  - p\n",
        "",
    ):
        lines = new.splitlines(keepends=True)
        expected = list(difflib.unified_diff(old, lines, "a/x", "b/x"))
        assert list(unified_diff(old, lines, "a/x", "b/x")) == expected
