"""`set_random_seed`: every library's generators, and deterministic mode."""

import importlib
import operator
import os
import warnings
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final, SupportsIndex

import msgspec

from envstage.seeds.contract import LIBRARIES, imported, library
from envstage.seeds.hashing import hash_note
from envstage.seeds.record import Seeding, remember, seeding_of

SEEDS: Final = 2**32
"""Seeds lie below: NumPy and scikit-learn take no larger ones."""


class DeterminismWarning(UserWarning):
    """Deterministic mode was asked for, and something stands against it."""


class Seeded(msgspec.Struct, frozen=True, kw_only=True):
    """What was seeded.

    Attributes:
        libraries: `python`, `numpy`, `torch`, … in the order in which they were seeded.
        jax_key: `jax.random.key(seed)` where JAX is among them, else None.
        notes: what stands against bit-identical runs and has to be done before Python starts.
    """

    seed: int
    deterministic: bool
    libraries: tuple[str, ...]
    jax_key: Any = None
    notes: tuple[str, ...] = ()


def set_random_seed(
    seed: SupportsIndex, deterministic: bool = False, *, libraries: Iterable[str] = ()
) -> Seeded:
    """Seed Python, NumPy, PyTorch (every device), TensorFlow: those that are imported.

    Call it after the imports and before anything random, the model's weights among it.
    `runtime_state()` tells when it came too late. A library that is imported afterwards is not
    seeded, unless `libraries` asks for it. `numpy.random.default_rng` and other generators of a
    program's own are not reached: give them seeds of their own.

    Deterministic mode also chooses cuDNN's deterministic algorithms without benchmarking,
    `torch.use_deterministic_algorithms(True)` (an operation that has no deterministic form raises
    a RuntimeError), `CUBLAS_WORKSPACE_CONFIG=:4096:8` unless it is set, and TensorFlow's op
    determinism. Without it these switches are left as they are. Sources:
    https://docs.pytorch.org/docs/stable/notes/randomness.html,
    https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism.

    Args:
        seed: from 0 to 2**32 - 1.
        deterministic: also make operations deterministic; slower on a GPU.
        libraries: names to import and seed in any case: `numpy`, `torch`, `tensorflow`, `jax`.

    Returns:
        What was seeded, with JAX's first key: JAX has no global generator.

    Warns:
        DeterminismWarning: in deterministic mode, for each variable that had to be set before
            Python started and was not (`PYTHONHASHSEED`), or has a value that is against it.

    Raises:
        TypeError: the seed is no whole number.
        ValueError: the seed is out of range, or a library's name is unknown.
        ImportError: a library that was asked for is not installed.
    """
    number = _checked(seed)
    modules = dict(_chosen(tuple(libraries)))
    notes: list[str] = []
    for name, module in modules.items():
        _seed(name, module, number, deterministic=deterministic)
        if deterministic:
            notes += library(name).make_deterministic(module)
    if deterministic:
        notes += _late_notes(modules)
        for note in notes:
            warnings.warn(note, DeterminismWarning, stacklevel=2)
    return Seeded(
        seed=number,
        deterministic=deterministic,
        libraries=tuple(modules),
        jax_key=_jax_key(modules, number),
        notes=tuple(notes),
    )


def _checked(seed: SupportsIndex) -> int:
    if isinstance(seed, bool):
        raise TypeError("the seed is True or False; give a whole number")
    number = operator.index(seed)
    if not 0 <= number < SEEDS:
        raise ValueError(f"the seed {number} is not within 0 and 2**32 - 1")
    return number


def _chosen(asked: tuple[str, ...]) -> Iterator[tuple[str, ModuleType]]:
    """The libraries to seed, in a fixed order."""
    unknown = sorted(set(asked) - set(LIBRARIES))
    if unknown:
        known = ", ".join(LIBRARIES)
        raise ValueError(f"unknown libraries: {', '.join(unknown)}; there are {known}")
    for name in asked:
        importlib.import_module(LIBRARIES[name])
    yield from imported()


def _seed(name: str, module: ModuleType, seed: int, *, deterministic: bool) -> None:
    adapter = library(name)
    before = seeding_of(name)
    # Later seedings are new beginnings: only what came before the first one was left to chance.
    was_late = before.was_late if before else adapter.has_drawn(module)
    was_cuda_late = before is not None and before.was_cuda_late
    if deterministic and name == "torch" and not was_cuda_late:
        was_cuda_late = _is_cuda_late(module)
    adapter.seed(module, seed)
    remember(name, Seeding(seed=seed, was_late=was_late, was_cuda_late=was_cuda_late))


def _is_cuda_late(module: ModuleType) -> bool:
    from envstage.seeds.libraries import torch

    return torch.is_cuda_started(module) and os.environ.get(torch.WORKSPACE) is None


def _late_notes(modules: dict[str, ModuleType]) -> Iterator[str]:
    note = hash_note()
    if note is not None:
        yield note
    seeding = seeding_of("torch") if "torch" in modules else None
    if seeding is not None and seeding.was_cuda_late:
        yield (
            "CUDA was started before CUBLAS_WORKSPACE_CONFIG was set: cuBLAS may not be "
            "deterministic. Call set_random_seed before the first use of the GPU"
        )


def _jax_key(modules: dict[str, ModuleType], seed: int) -> Any:
    if "jax" not in modules:
        return None
    from envstage.seeds.libraries import jax

    return jax.key(modules["jax"], seed)
