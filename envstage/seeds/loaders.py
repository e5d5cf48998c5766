"""PyTorch's DataLoaders that are alive in this process."""

import gc
import sys
from collections.abc import Iterator
from types import ModuleType

import msgspec


class Loader(msgspec.Struct, frozen=True, kw_only=True):
    """One DataLoader.

    Attributes:
        workers: processes that load; 0: the main process does.
        is_shuffled: its order is drawn from a generator.
        has_generator: from one of its own.
        has_worker_init: `worker_init_fn` is given.
    """

    workers: int
    is_shuffled: bool
    has_generator: bool
    has_worker_init: bool

    @property
    def description(self) -> str:
        """In words."""
        order = "order as given"
        if self.is_shuffled:
            order = (
                "shuffled by " + ("its own" if self.has_generator else "the global") + " generator"
            )
        return f"{order}, {'with' if self.has_worker_init else 'without'} worker_init_fn"


def loaders(torch: ModuleType | None) -> Iterator[Loader]:
    """The DataLoaders that the garbage collector knows."""
    data = sys.modules.get("torch.utils.data") if torch is not None else None
    if data is None:
        return
    # By the type, not `isinstance`: that asks proxies for `__class__`, and a lazy one would load.
    found = [each for each in gc.get_objects() if issubclass(type(each), data.DataLoader)]
    for each in found:
        yield Loader(
            workers=int(each.num_workers),
            is_shuffled=type(each.sampler).__name__ == "RandomSampler",
            has_generator=each.generator is not None,
            has_worker_init=each.worker_init_fn is not None,
        )
