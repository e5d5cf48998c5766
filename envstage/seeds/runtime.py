"""`runtime_state`: what of seeds and determinism is in effect in this process now."""

import hashlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import msgspec

from envstage.seeds.contract import imported, library
from envstage.seeds.hashing import hash_note, is_hash_fixed
from envstage.seeds.libraries.tensorflow import SWITCHES
from envstage.seeds.libraries.torch import WORKSPACE, is_cuda_started
from envstage.seeds.loaders import Loader, loaders
from envstage.seeds.record import seeding_of
from envstage.seeds.switches import switches
from envstage.seeds.threads import Pool, pools
from envstage.snapshot.words import printable

_DIGEST_LENGTH: Final = 16


class Generator(msgspec.Struct, frozen=True, kw_only=True):
    """A global generator.

    Attributes:
        name: library and stream: `torch cpu`, `numpy global`.
        seed: what it was last seeded with, as far as that is known.
        digest: the beginning of its state's sha256: the same in two runs that have drawn the
            same numbers so far.
        is_fresh: nothing has been drawn since that seeding; None where nobody can tell.
    """

    name: str
    seed: int | None
    digest: str
    is_fresh: bool | None


class RuntimeState(msgspec.Struct, frozen=True, kw_only=True):
    """What is in effect now. `str()` gives it as people read it.

    Attributes:
        generators: the global generators of the imported libraries.
        switches: determinism and TF32 by name (`torch.deterministic_algorithms`), where the
            library is imported.
        variables: those that determinism depends on; None where not set.
        is_hash_fixed: `PYTHONHASHSEED` was set when Python started.
        threads: the thread pools of BLAS and OpenMP that are loaded, by threadpoolctl.
        loaders: PyTorch's DataLoaders that are alive.
        warnings: what stands against two identical runs, with what to do.
    """

    generators: tuple[Generator, ...]
    switches: dict[str, bool | int | str | None]
    variables: dict[str, str | None]
    is_hash_fixed: bool
    threads: tuple[Pool, ...]
    loaders: tuple[Loader, ...]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        """One line a thing."""
        return "\n".join(_lines(self))


def runtime_state() -> RuntimeState:
    """Report what of seeds, determinism and threads is in effect in this process.

    Nothing is imported that the program has not imported, but threadpoolctl, if it is there; no
    number is drawn, and CUDA is not started. Seeding that came too late is among the `warnings`.

    Returns:
        The state. Digests of generators can be compared between runs.
    """
    modules = dict(imported())
    return RuntimeState(
        generators=tuple(_generators(modules)),
        switches=dict(switches(modules)),
        variables={name: os.environ.get(name) for name in ("PYTHONHASHSEED", WORKSPACE, *SWITCHES)},
        is_hash_fixed=is_hash_fixed(),
        threads=pools(),
        loaders=tuple(loaders(modules.get("torch"))),
        warnings=tuple(_warnings(modules)),
    )


def _generators(modules: dict[str, ModuleType]) -> Iterator[Generator]:
    for name, module in modules.items():
        adapter = library(name)
        seeding = seeding_of(name)
        seed = seeding.seed if seeding else None
        if name == "torch":
            seed = int(module.initial_seed())
        fresh = adapter.fresh(module, seed) if seed is not None else {}
        for stream, data in adapter.streams(module).items():
            yield Generator(
                name=f"{name} {stream}",
                seed=seed,
                digest=hashlib.sha256(data).hexdigest()[:_DIGEST_LENGTH],
                is_fresh=data == fresh[stream] if stream in fresh else None,
            )


def _warnings(modules: dict[str, ModuleType]) -> Iterator[str]:
    for name, module in modules.items():
        if name != "jax":
            yield from _seeding_warnings(name, module)
    note = hash_note()
    if note is not None:
        yield note
    if "torch" in modules:
        yield from _cuda_warnings(modules["torch"])


def _seeding_warnings(name: str, module: ModuleType) -> Iterator[str]:
    seeding = seeding_of(name)
    if seeding is None:
        yield f"{name}: its global generator is not seeded; call set_random_seed after importing it"
        return
    if seeding.was_late:
        yield (
            f"{name} was seeded too late: numbers had been drawn before, so what was made from "
            "them (weights, splits) does not follow the seed. Call set_random_seed first"
        )
    if name == "torch" and seeding.seed not in (None, module.initial_seed()):
        yield (
            f"torch was seeded anew, with {module.initial_seed()}, since "
            f"set_random_seed({seeding.seed})"
        )


def _cuda_warnings(module: ModuleType) -> Iterator[str]:
    seeding = seeding_of("torch")
    if seeding is not None and seeding.was_cuda_late:
        yield f"CUDA was started before {WORKSPACE} was set: cuBLAS may not be deterministic"
    elif is_cuda_started(module) and os.environ.get(WORKSPACE) is None:
        yield f"{WORKSPACE} is not set: cuBLAS may differ from run to run"


def _lines(state: RuntimeState) -> Iterator[str]:
    for each in state.generators:
        seed = "not known" if each.seed is None else str(each.seed)
        fresh = {True: ", nothing drawn since", False: ", numbers drawn since", None: ""}
        yield f"{each.name}: seed {seed}{fresh[each.is_fresh]}, state {each.digest}"
    for name, value in sorted(state.switches.items()):
        yield f"{name}: {value}"
    for name, text in state.variables.items():
        yield f"{name}: {'not set' if text is None else printable(text)}"
    for pool in state.threads:
        yield f"{pool.name} {pool.version or ''}: {pool.threads} threads".replace(" :", ":")
    for loader in state.loaders:
        yield f"DataLoader: {loader.workers} workers, {loader.description}"
    for warning in state.warnings:
        yield f"warning: {warning}"
