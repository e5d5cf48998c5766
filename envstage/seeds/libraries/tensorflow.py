"""TensorFlow: the global seed and op determinism.

https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism. The
global seed has no state that could be read: TensorFlow is in no saved state.
"""

import os
from types import ModuleType
from typing import Final

from envstage.seeds.contract import Streams

SWITCHES: Final = ("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC")


def seed(module: ModuleType, seed: int) -> None:
    """Set the global seed."""
    module.random.set_seed(seed)


def make_deterministic(module: ModuleType) -> tuple[str, ...]:
    """Op determinism, and the variables for releases and child processes that read them."""
    for name in SWITCHES:
        os.environ.setdefault(name, "1")
    module.config.experimental.enable_op_determinism()
    wrong = [name for name in SWITCHES if os.environ[name] != "1"]
    return tuple(f"{name} is `{os.environ[name]}`: `1` makes it deterministic" for name in wrong)


def has_drawn(module: ModuleType) -> bool:
    """Nobody can tell."""
    return False


def streams(module: ModuleType) -> Streams:
    """None that can be read."""
    return {}


def fresh(module: ModuleType, seed: int) -> Streams:
    """None that can be read."""
    return {}


def restore(module: ModuleType, streams: Streams) -> None:
    """Nothing is ever saved."""
    if streams:
        raise ValueError("TensorFlow has no state that could be restored")
