"""TensorFlow and JAX, where they are installed: neither is part of the test environment."""

import importlib.util
from pathlib import Path

import pytest

from tests.notebook.scripts import run_script

pytestmark = pytest.mark.e2e
JAX = """
import jax
from envstage import runtime_state, set_random_seed
first, again, other = (set_random_seed(seed).jax_key for seed in (42, 42, 43))
numbers = [jax.random.normal(key, (3,)).tolist() for key in (first, again, other)]
assert numbers[0] == numbers[1] != numbers[2]
assert first.shape == ()
assert runtime_state().switches["jax.enable_x64"] is False
print("ok")
"""
TENSORFLOW = """
import os
import tensorflow
from envstage import runtime_state, save_rng_state, set_random_seed
def numbers(seed):
    seeded = set_random_seed(seed, deterministic=True)
    assert seeded.notes == () and "tensorflow" in seeded.libraries
    return tensorflow.random.normal([3]).numpy().tolist()
assert numbers(42) == numbers(42) != numbers(43)
assert os.environ["TF_DETERMINISTIC_OPS"] == "1"
assert runtime_state().warnings == (), runtime_state().warnings
assert "tensorflow" not in save_rng_state("rng.json")
print("ok")
"""


@pytest.mark.parametrize(("name", "text"), [("jax", JAX), ("tensorflow", TENSORFLOW)])
def test_a_seed_and_determinism(tmp_path: Path, name: str, text: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    assert run_script(text, tmp_path, PYTHONHASHSEED="0").strip() == "ok"
