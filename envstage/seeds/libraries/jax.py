"""JAX: it has no global generator. A program passes keys, the first of which is made here.

https://docs.jax.dev/en/latest/random-numbers.html
"""

import importlib.util
import os
from types import ModuleType
from typing import Any, Final

from envstage.seeds.contract import Streams

_FLAG: Final = "--xla_gpu_deterministic_ops=true"
_GPU_PLUGINS: Final = ("jax_cuda12_plugin", "jax_cuda13_plugin")


def key(module: ModuleType, seed: int) -> Any:
    """A key: an array of the key type, shape ()."""
    import jax.random  # a part of jax, which the program has imported

    return jax.random.key(seed)


def seed(module: ModuleType, seed: int) -> None:
    """Nothing to seed: see `key`."""


def make_deterministic(module: ModuleType) -> tuple[str, ...]:
    """XLA reads its flags when it starts: all that can be done is to say so."""
    has_gpu = any(importlib.util.find_spec(name) for name in _GPU_PLUGINS)
    if not has_gpu or _FLAG in os.environ.get("XLA_FLAGS", ""):
        return ()
    return (f"XLA_FLAGS={_FLAG} has to be set before Python starts, and is not",)


def has_drawn(module: ModuleType) -> bool:
    """There is nothing to draw from."""
    return False


def streams(module: ModuleType) -> Streams:
    """There are none: keys are values of the program."""
    return {}


def fresh(module: ModuleType, seed: int) -> Streams:
    """There are none."""
    return {}


def restore(module: ModuleType, streams: Streams) -> None:
    """Nothing is ever saved."""
    if streams:
        raise ValueError("JAX has no global state that could be restored")
