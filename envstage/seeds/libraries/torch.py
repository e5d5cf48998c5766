"""PyTorch's generators on every device, and its switches.

https://docs.pytorch.org/docs/stable/notes/randomness.html
"""

import os
from types import ModuleType
from typing import Any, Final

from envstage.seeds.contract import Streams

CPU: Final = "cpu"
_CUDA: Final = "cuda:"
_MPS: Final = "mps"
WORKSPACE: Final = "CUBLAS_WORKSPACE_CONFIG"
# https://docs.nvidia.com/cuda/cublas/#results-reproducibility
WORKSPACES: Final = (":4096:8", ":16:8")


def seed(module: ModuleType, seed: int) -> None:
    """Seed the processor's and every accelerator's generator; those not started get it later."""
    module.manual_seed(seed)


def make_deterministic(module: ModuleType) -> tuple[str, ...]:
    """cuDNN's flags, deterministic algorithms (an operation that has none raises)."""
    module.backends.cudnn.deterministic = True
    module.backends.cudnn.benchmark = False
    module.use_deterministic_algorithms(True)
    given = os.environ.setdefault(WORKSPACE, WORKSPACES[0])
    if given not in WORKSPACES:
        return (
            f"{WORKSPACE} is `{given}`: cuBLAS is deterministic with {' or '.join(WORKSPACES)}",
        )
    return ()


def is_cuda_started(module: ModuleType) -> bool:
    """Whether this process has started CUDA: what it reads at its start is read by then."""
    return bool(module.cuda.is_initialized())


def has_drawn(module: ModuleType) -> bool:
    """Whether the processor's generator stands elsewhere than right behind its seeding."""
    return bool(streams(module)[CPU] != fresh(module, module.initial_seed())[CPU])


def streams(module: ModuleType) -> Streams:
    """The states on the processor and on the devices that were started."""
    found = {CPU: _bytes(module.default_generator.get_state())}
    if is_cuda_started(module):
        for index in range(module.cuda.device_count()):
            found[f"{_CUDA}{index}"] = _bytes(module.cuda.get_rng_state(index))
    if module.backends.mps.is_available():
        found[_MPS] = _bytes(module.mps.get_rng_state())
    return found


def fresh(module: ModuleType, seed: int) -> Streams:
    """The processor's state right after seeding."""
    return {CPU: _bytes(module.Generator().manual_seed(seed).get_state())}


def restore(module: ModuleType, streams: Streams) -> None:
    """Set the states."""
    for name, data in streams.items():
        state = module.frombuffer(bytearray(data), dtype=module.uint8)
        try:
            _restore(module, name, state)
        except RuntimeError as error:
            reason = str(error).split("\n")[0]
            raise ValueError(f"the state of PyTorch on {name} is refused: {reason}") from None


def _restore(module: ModuleType, name: str, state: Any) -> None:
    if name == CPU:
        module.default_generator.set_state(state)
    elif name == _MPS and module.backends.mps.is_available():
        module.mps.set_rng_state(state)
    elif name.startswith(_CUDA) and int(name[len(_CUDA) :]) < module.cuda.device_count():
        module.cuda.set_rng_state(state, int(name[len(_CUDA) :]))
    else:
        raise ValueError(f"there is no device {name} here")


def _bytes(state: Any) -> bytes:
    """The bytes of a tensor, with and without NumPy at hand."""
    return bytes(state.cpu().tolist())
