"""Train a small PyTorch model; the DataLoader loads in this process."""

import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for (batch,) in DataLoader(TensorDataset(torch.rand(16, 4)), batch_size=4, num_workers=0):
    optimizer.zero_grad()
    model(batch).mean().backward()
    optimizer.step()
print(model.bias)
