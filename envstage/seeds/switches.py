"""The switches of PyTorch, TensorFlow and JAX that determinism and precision depend on."""

from collections.abc import Iterator, Mapping
from types import ModuleType


def switches(modules: Mapping[str, ModuleType]) -> Iterator[tuple[str, bool | int | str | None]]:
    """Name and value, of the libraries that are imported. Reading starts no device."""
    if "torch" in modules:
        yield from _torch(modules["torch"])
    if "tensorflow" in modules:
        yield from _tensorflow(modules["tensorflow"])
    if "jax" in modules:
        config = modules["jax"].config
        yield "jax.enable_x64", bool(config.jax_enable_x64)
        yield "jax.default_matmul_precision", config.jax_default_matmul_precision


def _torch(torch: ModuleType) -> Iterator[tuple[str, bool | int | str | None]]:
    yield "torch.deterministic_algorithms", bool(torch.are_deterministic_algorithms_enabled())
    yield (
        "torch.deterministic_warn_only",
        bool(torch.is_deterministic_algorithms_warn_only_enabled()),
    )
    yield "torch.cudnn.deterministic", bool(torch.backends.cudnn.deterministic)
    yield "torch.cudnn.benchmark", bool(torch.backends.cudnn.benchmark)
    # One word for TF32 in matrix products on every device: `highest` is without.
    yield "torch.float32_matmul_precision", str(torch.get_float32_matmul_precision())
    yield "torch.cudnn.allow_tf32", _cudnn_tf32(torch)
    yield "torch.threads", int(torch.get_num_threads())
    yield "torch.interop_threads", int(torch.get_num_interop_threads())


def _cudnn_tf32(torch: ModuleType) -> bool | None:
    """None where the program chose the precision piece by piece: then the flag cannot be read."""
    try:
        return bool(torch.backends.cudnn.allow_tf32)
    except RuntimeError:
        return None


def _tensorflow(tensorflow: ModuleType) -> Iterator[tuple[str, bool | int | str | None]]:
    config = tensorflow.config
    yield "tensorflow.tf32", bool(config.experimental.tensor_float_32_execution_enabled())
    threading = config.threading
    # 0: TensorFlow decides.
    yield "tensorflow.inter_op_threads", int(threading.get_inter_op_parallelism_threads())
    yield "tensorflow.intra_op_threads", int(threading.get_intra_op_parallelism_threads())
