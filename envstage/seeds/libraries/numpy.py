"""NumPy's global generator, `numpy.random.seed` and its kin.

Generators of a program's own (`numpy.random.default_rng(seed)`) have seeds of their own.
https://numpy.org/doc/stable/reference/random/legacy.html
"""

import struct
from types import ModuleType
from typing import Any, Final

from envstage.seeds.contract import Streams, draws_at_import

STREAM: Final = "global"
_KIND: Final = "MT19937"
_WORDS: Final = 624
# Right after seeding it stands at the end, unseeded one before it: no number is ready.
_UNDRAWN: Final = (_WORDS - 1, _WORDS)
_LAYOUT: Final = struct.Struct("<H?d")


def seed(module: ModuleType, seed: int) -> None:
    """Seed the global generator."""
    module.random.seed(seed)


def make_deterministic(module: ModuleType) -> tuple[str, ...]:
    """Nothing to choose: its sums depend on the number of threads alone."""
    return ()


def has_drawn(module: ModuleType) -> bool:
    """Whether the generator stands elsewhere than right behind its seeding."""
    if draws_at_import():
        return False
    state = _state(module.random)
    return state["bit_generator"] == _KIND and int(state["state"]["pos"]) not in _UNDRAWN


def streams(module: ModuleType) -> Streams:
    """The state of the global generator; none where the program replaced it by another kind."""
    state = _state(module.random)
    return {STREAM: _packed(state)} if state["bit_generator"] == _KIND else {}


def fresh(module: ModuleType, seed: int) -> Streams:
    """Its state right after seeding."""
    return {STREAM: _packed(_state(module.random.RandomState(seed)))}


def restore(module: ModuleType, streams: Streams) -> None:
    """Set the state."""
    data = streams.get(STREAM, b"")
    if len(data) != 4 * _WORDS + _LAYOUT.size:
        raise ValueError("the state of NumPy is damaged")
    key = module.frombuffer(data[: 4 * _WORDS], dtype="<u4").astype(module.uint32)
    place, has_gauss, gauss = _LAYOUT.unpack(data[4 * _WORDS :])
    if place > _WORDS:
        raise ValueError("the state of NumPy is damaged")
    try:
        module.random.set_state((_KIND, key, place, int(has_gauss), gauss))
    except TypeError:  # the global generator is of another kind than the saved one
        raise ValueError("NumPy's global generator is no MT19937 any more") from None


def _state(generator: Any) -> dict[str, Any]:
    state: dict[str, Any] = generator.get_state(legacy=False)
    return state


def _packed(state: dict[str, Any]) -> bytes:
    inner = state["state"]
    key: bytes = inner["key"].astype("<u4").tobytes()
    return key + _LAYOUT.pack(int(inner["pos"]), bool(state["has_gauss"]), float(state["gauss"]))
