"""The module `random` (https://docs.python.org/3/library/random.html)."""

import random
import struct
import sys
from types import ModuleType
from typing import Final

from envstage.seeds.contract import Streams, draws_at_import

STREAM: Final = "global"
# 624 words of MT19937, and the place of the next one.
_WORDS: Final = 625
_VERSION: Final = 3
_LAYOUT: Final = struct.Struct(f"<{_WORDS}I?d")


def seed(module: ModuleType, seed: int) -> None:
    """Seed the global generator."""
    random.seed(seed)


def make_deterministic(module: ModuleType) -> tuple[str, ...]:
    """Nothing to choose."""
    return ()


def has_drawn(module: ModuleType) -> bool:
    """Whether the generator stands elsewhere than right behind its seeding.

    In a Jupyter kernel nobody can tell: the kernel itself draws from it.
    """
    is_idle = "ipykernel" not in sys.modules and not draws_at_import()
    return is_idle and bool(random.getstate()[1][-1] != _WORDS - 1)


def streams(module: ModuleType) -> Streams:
    """The state of the global generator."""
    return {STREAM: _packed(random.getstate())}


def fresh(module: ModuleType, seed: int) -> Streams:
    """Its state right after seeding."""
    return {STREAM: _packed(random.Random(seed).getstate())}


def restore(module: ModuleType, streams: Streams) -> None:
    """Set the state."""
    try:
        *words, has_gauss, gauss = _LAYOUT.unpack(streams[STREAM])
    except (KeyError, struct.error):
        raise ValueError("the state of `random` is damaged") from None
    if words[-1] >= _WORDS:
        raise ValueError("the state of `random` is damaged")
    random.setstate((_VERSION, tuple(words), gauss if has_gauss else None))


def _packed(state: tuple[object, ...]) -> bytes:
    version, words, gauss = state
    assert version == _VERSION and isinstance(words, tuple)  # the same since Python 3.2
    return _LAYOUT.pack(*words, gauss is not None, gauss or 0.0)
