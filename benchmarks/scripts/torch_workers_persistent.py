"""Persistent DataLoader workers, still alive when the program ends."""

import torch
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        import yaml

        return torch.tensor(yaml.safe_load(str(index)))


if __name__ == "__main__":
    loader = DataLoader(Rows(), num_workers=1, persistent_workers=True)
    print([int(batch) for batch in loader])
