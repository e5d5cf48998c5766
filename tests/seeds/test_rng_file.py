"""Saved generator states: they go on where they were, and a bad file changes nothing."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envstage import restore_rng_state, runtime_state, save_rng_state
from envstage.errors import EnvstageError


def drawn() -> tuple[object, ...]:
    return random.random(), random.gauss(0, 1), np.random.randn(3).tolist(), np.random.rand()


def states() -> tuple[object, ...]:
    kind, key, *rest = np.random.get_state()
    return random.getstate(), kind, list(key), rest


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 1300), st.booleans())
def test_it_goes_on_where_it_was(tmp_path: Path, seed: int, draws: int, has_gauss: bool) -> None:
    random.seed(seed)
    np.random.seed(seed)
    for _ in range(draws):
        random.random()
        np.random.rand()
    if has_gauss:  # one of a pair is kept for the next call
        random.gauss(0, 1)
        np.random.randn()
    path = tmp_path / "rng.json"
    assert set(save_rng_state(path)) >= {"python", "numpy"}
    expected = drawn()
    drawn()
    assert set(restore_rng_state(path)) >= {"python", "numpy"}
    assert drawn() == expected


def test_the_same_states_give_the_same_file(tmp_path: Path) -> None:
    save_rng_state(tmp_path / "a.json")
    save_rng_state(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        restore_rng_state(tmp_path / "none.json")


def test_the_seed_is_not_known_after_restoring(tmp_path: Path) -> None:
    from envstage import set_random_seed

    save_rng_state(tmp_path / "rng.json")
    set_random_seed(42)
    restore_rng_state(tmp_path / "rng.json")
    by_name = {each.name: each for each in runtime_state().generators}
    assert by_name["python global"].seed is None


def _python(document: dict[str, Any], text: str) -> None:
    document["states"]["python"]["global"] = text


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.clear(),
        lambda document: document.update(schema="1"),
        lambda document: document.update(schema=2),
        lambda document: document.update(more=1),
        lambda document: document["states"].update(perl={}),
        lambda document: _python(document, "no base64!"),
        lambda document: _python(document, "AAAA"),
        lambda document: _python(document, "/" * 3344),
        lambda document: document["states"]["python"].clear(),
        lambda document: document["states"]["numpy"].update({"global": "AAAA"}),
        lambda document: document["states"].update(tensorflow={"a": "AAAA"}),
    ],
)
def test_a_damaged_file_changes_nothing(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "rng.json"
    save_rng_state(path)
    document = json.loads(path.read_text())
    damage(document)
    path.write_text(json.dumps(document))
    drawn()
    before = states()
    with pytest.raises(EnvstageError, match=r"rng\.json"):
        restore_rng_state(path)
    assert states() == before


@pytest.mark.parametrize("data", [b"", b"\x80\x04\x95.", b"[]", b"{"])
def test_what_is_no_saved_state(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rng.json"
    path.write_bytes(data)
    with pytest.raises(EnvstageError, match="is no saved state"):
        restore_rng_state(path)
