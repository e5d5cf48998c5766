"""Train a small network twice, on the processor, to the same bits.

    python train.py                     # seed 42, two loading processes
    python train.py --seed 123 --workers 0

Needs PyTorch and NumPy. What makes the two runs equal: one seed for every library, deterministic
algorithms, a generator for the order of the data, and a seed in each loading process.
"""

import argparse
import hashlib
import json
import random
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import envstage
from envstage import create_seeded_generator, seed_worker, set_random_seed


class Points(Dataset):
    """Points in two interleaved spirals, moved a little at random each time they are read."""

    def __init__(self, count: int = 512) -> None:
        turn = np.linspace(0.5, 3.0, count)
        self.labels = np.arange(count) % 2
        angle = turn * 2 + np.pi * self.labels
        self.places = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        # Drawn in a loading process, from two libraries: `seed_worker` seeds both there.
        place = self.places[index] + np.random.normal(0, 0.02, 2)
        if random.random() < 0.1:
            place = place * 1.01
        return torch.tensor(place, dtype=torch.float32), int(self.labels[index])


def train(seed: int, workers: int, epochs: int = 3) -> dict[str, object]:
    """Train from nothing; the digest of the weights and the loss of each epoch, to the last bit."""
    set_random_seed(seed, deterministic=True)
    model = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    )
    loader = DataLoader(
        Points(),
        batch_size=64,
        shuffle=True,
        num_workers=workers,
        worker_init_fn=seed_worker,
        generator=create_seeded_generator(seed),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for places, labels in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(places), labels)
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
        losses.append(total.hex())
    weights = hashlib.sha256()
    for tensor in model.state_dict().values():
        weights.update(tensor.numpy().tobytes())
    return {"seed": seed, "workers": workers, "weights": weights.hexdigest(), "losses": losses}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()

    start = time.perf_counter()
    info = envstage.capture_environment()
    envstage.save_environment_snapshot(info, "runs/environment")
    print(f"environment captured in {(time.perf_counter() - start) * 1000:.0f} ms")

    first = train(arguments.seed, arguments.workers)
    second = train(arguments.seed, arguments.workers)
    print(json.dumps(first, indent=2))
    if first != second:
        raise SystemExit("the second run is another one")
    print("the second run gave the same bits")
    for warning in envstage.runtime_state().warnings:
        print("worth knowing:", warning)


if __name__ == "__main__":
    main()
