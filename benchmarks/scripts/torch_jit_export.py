"""TorchScript and torch.fx: code generated at run time has no file."""

import torch


class Model(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x) + 1


print(torch.fx.symbolic_trace(Model())(torch.ones(2)))
print(torch.jit.trace(Model(), torch.ones(2))(torch.ones(2)))
