"""Where a trace holds, a whole capture says the same: whatever happens (`tests.trace.walk`)."""

from pathlib import Path

import pytest

from tests.trace.walk import walk

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("seed", [1, 2])
def test_a_short_walk(tmp_path: Path, seed: int) -> None:
    found = walk(tmp_path, seed, steps=8)
    assert found.ready >= 4, found.steps


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 40))
def test_a_long_walk(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed, steps=40)
