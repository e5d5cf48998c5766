"""torchrun starts two processes that reduce over gloo."""
# command: torchrun --standalone --nproc-per-node 2 {script}

import torch
import torch.distributed as dist

dist.init_process_group("gloo")
value = torch.tensor([dist.get_rank() + 1])
dist.all_reduce(value)
print(int(value))
dist.destroy_process_group()
