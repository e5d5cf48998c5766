"""For PyTorch's DataLoader: workers and an order of the data that follow the seed.

https://docs.pytorch.org/docs/stable/notes/randomness.html#dataloader
"""

import random
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def seed_worker(worker_id: int) -> None:
    """Seed Python and NumPy in a worker process: `DataLoader(..., worker_init_fn=seed_worker)`.

    PyTorch seeds itself in a worker, by the loader's generator and the worker's number. That
    seed, modulo 2**32, is passed on; so every worker, epoch and run has its own and a known one.

    Args:
        worker_id: the worker's number from 0, as the DataLoader gives it; not used, since
            PyTorch's seed already tells the workers apart.

    Raises:
        ImportError: PyTorch is not installed.
    """
    import torch

    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed)


def create_seeded_generator(seed: int, device: str = "cpu") -> "torch.Generator":
    """Make a generator for `DataLoader(..., generator=...)`: the order of the data follows it.

    A generator of its own, because the global one has moved by whatever was drawn before the
    loader: with it a layer more in the model would mean another order of the data.

    Args:
        seed: any that PyTorch takes, from -2**63 to 2**64 - 1.
        device: where its numbers are made; a DataLoader wants `cpu`.

    Raises:
        ImportError: PyTorch is not installed.
    """
    import torch

    generator = torch.Generator(device=device)
    generator.manual_seed(seed)
    return generator
