"""`set_random_seed` and `runtime_state` for Python and NumPy."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envstage import runtime_state, set_random_seed
from envstage.seeds.hashing import is_hash_fixed
from tests.notebook.scripts import run_script


def drawn() -> tuple[float, float, list[float]]:
    return random.random(), random.gauss(0, 1), np.random.randn(3).tolist()


@pytest.mark.parametrize("seed", [0, 42, 123, 999, 2**32 - 1, np.int64(7)])
def test_the_same_seed_gives_the_same_numbers(seed: int) -> None:
    assert set_random_seed(seed).seed == int(seed)
    first = drawn()
    set_random_seed(seed)
    assert drawn() == first
    set_random_seed(int(seed) // 2 + 1)
    assert drawn() != first


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range(seed: int) -> None:
    with pytest.raises(ValueError, match="not within 0 and"):
        set_random_seed(seed)


@pytest.mark.parametrize("seed", [True, 1.5, "42", None])
def test_what_is_no_seed(seed: object) -> None:
    with pytest.raises(TypeError):
        set_random_seed(seed)  # type: ignore[arg-type]


def test_a_refused_seed_leaves_the_generators_alone() -> None:
    before = random.getstate()
    with pytest.raises(ValueError, match="unknown libraries: nympy"):
        set_random_seed(1, libraries=["nympy"])
    assert random.getstate() == before


def test_what_is_in_effect() -> None:
    set_random_seed(42)
    state = runtime_state()
    fresh = {each.name: each for each in state.generators}
    assert fresh["python global"].seed == fresh["numpy global"].seed == 42
    assert fresh["python global"].is_fresh and fresh["numpy global"].is_fresh
    np.random.rand()
    after = {each.name: each for each in runtime_state().generators}
    assert after["python global"] == fresh["python global"]
    assert after["numpy global"].is_fresh is False
    assert after["numpy global"].digest != fresh["numpy global"].digest
    assert "numpy global: seed 42, numbers drawn since" in str(runtime_state())


def test_digests_are_the_same_in_another_process(tmp_path: Path) -> None:
    text = (
        "import numpy\nfrom envstage import runtime_state, set_random_seed\n"
        "set_random_seed(42)\n"
        "print(*sorted(f'{each.name} {each.digest}' for each in runtime_state().generators"
        " if not each.name.startswith('torch')), sep='\\n')"
    )
    set_random_seed(42)
    here = [f"{each.name} {each.digest}" for each in runtime_state().generators]
    there = run_script(text, tmp_path).splitlines()
    assert there == sorted(each for each in here if not each.startswith("torch"))


def test_seeding_too_late_is_told() -> None:
    np.random.seed(5)
    np.random.rand()
    set_random_seed(42)
    warnings = runtime_state().warnings
    assert any(each.startswith("numpy was seeded too late") for each in warnings)
    assert not any(each.startswith("python was seeded too late") for each in warnings)
    # A further run in this process begins anew; what came before the first is still left to chance.
    set_random_seed(43)
    assert any("numpy was seeded too late" in each for each in runtime_state().warnings)


def test_seeding_in_time_is_not_complained_about() -> None:
    np.random.seed(5)
    set_random_seed(42)
    np.random.rand()
    random.random()
    set_random_seed(123)
    assert not any("too late" in each for each in runtime_state().warnings)


def test_not_seeding_is_told() -> None:
    assert any(each.startswith("numpy: its global") for each in runtime_state().warnings)


HASH = """
import os
from envstage.seeds.hashing import is_hash_fixed
{late}
print(is_hash_fixed())
"""


@pytest.mark.parametrize(
    ("environ", "late", "is_fixed"),
    [
        ({"PYTHONHASHSEED": "0"}, "", True),
        ({"PYTHONHASHSEED": "42"}, "", True),
        ({"PYTHONHASHSEED": "random"}, "", False),
        ({}, "", False),
        ({}, "os.environ['PYTHONHASHSEED'] = '42'", False),
        ({"PYTHONHASHSEED": "42"}, "os.environ['PYTHONHASHSEED'] = '43'", False),
    ],
)
def test_whether_the_hash_seed_is_in_effect(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, Any],
    late: str,
    is_fixed: bool,
) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    assert run_script(HASH.format(late=late), tmp_path, **environ).strip() == str(is_fixed)


def test_deterministic_mode_says_what_came_too_late(tmp_path: Path) -> None:
    text = "from envstage import set_random_seed\nset_random_seed(1, deterministic=True)\n"
    path = tmp_path / "script.py"
    path.write_text(text)
    for value, is_told in (("0", False), ("random", True)):
        done = subprocess.run(
            [sys.executable, str(path)],
            env={"PYTHONHASHSEED": value, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        told = "DeterminismWarning: PYTHONHASHSEED was not set when Python started" in done.stderr
        assert told is is_told, done.stderr


def test_deterministic_mode_here() -> None:
    if is_hash_fixed():
        assert set_random_seed(1, deterministic=True).notes == ()
    else:
        with pytest.warns(UserWarning, match="PYTHONHASHSEED"):
            set_random_seed(1, deterministic=True)


def test_thread_pools_are_reported() -> None:
    pytest.importorskip("threadpoolctl")
    names = {each.name: each for each in runtime_state().threads}
    assert names["openblas"].threads >= 1
