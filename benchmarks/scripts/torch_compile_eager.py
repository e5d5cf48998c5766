"""torch.compile with the eager backend: dynamo writes code of its own."""

import torch


@torch.compile(backend="eager")
def double(x):
    return x * 2


print(double(torch.ones(3)))
