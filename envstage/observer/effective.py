"""What was in effect when a process ended: determinism, precision, seeds, threads.

Runs inside the observed program (see `recorder`), when it has ended and only where a receipt is
wanted. Frameworks are read where the program had loaded them, through `sys.modules`; nothing is
imported but threadpoolctl, if it is installed there and a library that it knows is mapped. While
this thread looks, the report hears nothing of it: looking is no use.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, List, Sequence, Tuple

# Name, module, where to look from there; `()` calls what stands before it.
READINGS = (
    ("torch.version", "torch", "__version__"),
    ("torch.compiled_for.cuda", "torch", "version.cuda"),
    ("torch.compiled_for.hip", "torch", "version.hip"),
    ("torch.compiled_for.cudnn", "torch", "_C._cudnn.getCompileVersion()"),
    ("torch.loaded.cudnn", "torch", "_C._cudnn.getRuntimeVersion()"),
    ("torch.cuda.is_initialized", "torch", "cuda.is_initialized()"),
    ("torch.deterministic_algorithms", "torch", "are_deterministic_algorithms_enabled()"),
    ("torch.deterministic_warn_only", "torch", "is_deterministic_algorithms_warn_only_enabled()"),
    ("torch.cudnn.deterministic", "torch", "backends.cudnn.deterministic"),
    ("torch.cudnn.benchmark", "torch", "backends.cudnn.benchmark"),
    ("torch.cudnn.allow_tf32", "torch", "backends.cudnn.allow_tf32"),
    ("torch.float32_matmul_precision", "torch", "get_float32_matmul_precision()"),
    ("torch.default_dtype", "torch", "get_default_dtype()"),
    ("torch.initial_seed", "torch", "initial_seed()"),
    ("torch.threads", "torch", "get_num_threads()"),
    ("torch.interop_threads", "torch", "get_num_interop_threads()"),
    ("tensorflow.op_determinism", "tensorflow.python.framework.config",
     "is_op_determinism_enabled()"),
    ("tensorflow.tf32", "tensorflow.python.framework.config",
     "tensor_float_32_execution_enabled()"),
    ("tensorflow.seed", "tensorflow.python.eager.context", "_context._seed"),
    ("jax.enable_x64", "jax", "config.jax_enable_x64"),
    ("jax.default_matmul_precision", "jax", "config.jax_default_matmul_precision"),
    ("jax.threefry_partitionable", "jax", "config.jax_threefry_partitionable"),
    ("numpy.version", "numpy", "__version__"),
)  # fmt: skip
# Variables that a program may set for itself while it runs, and that libraries read.
VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "KMP_DUPLICATE_LIB_OK",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PL_GLOBAL_SEED",
    "PYTHONHASHSEED",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "XLA_FLAGS",
)
POOLED = (b"blas", b"mkl_rt", b"blis", b"omp")
TEXT_AT_MOST = 200
SEED_MULTIPLIER = 1812433253
# What PyTorch says of how it was built: `BLAS_INFO=mkl`, `Math Kernel Library Version 2024.2`.
BUILT_WITH = (
    ("torch.blas", "BLAS_INFO="),
    ("torch.mkl", "Math Kernel Library Version "),
    ("torch.onednn", "MKL-DNN v"),
)


def see_effective(report: "Any", libraries: "Sequence[bytes]") -> None:
    """Write what is in effect in this process now."""
    report.silence(True)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        lines: "List[Tuple[str, ...]]" = [
            ("setting", name, *typed(value)) for name, value in settings()
        ]
        lines += pools(libraries)
    finally:
        sys.dont_write_bytecode = before
        report.silence(False)
    if lines:
        report.write_lines(lines)


def settings() -> "Iterator[Tuple[str, Any]]":
    """Names and values. What cannot be read is left out."""
    for name, module, path in READINGS:
        loaded = sys.modules.get(module)
        if loaded is None or getattr(getattr(loaded, "__spec__", None), "_initializing", False):
            continue
        try:
            value = followed(loaded, path)
        except Exception:  # a release that has it elsewhere, or not at all
            continue
        yield name, value
    for reader in (torch_build, numpy_seed, interpreter):
        try:
            yield from reader()
        except Exception:
            continue


def followed(item: "Any", path: str) -> "Any":
    """What stands at a path of attributes."""
    for part in path.split("."):
        item = getattr(item, part[:-2])() if part.endswith("()") else getattr(item, part)
    return item


def typed(value: "Any") -> "Tuple[str, str]":
    """The kind of a value and its text."""
    if value is None:
        return "n", ""
    if isinstance(value, bool):
        return "b", "true" if value else "false"
    if isinstance(value, int):
        return "i", str(int(value))
    if isinstance(value, tuple):  # a version in parts
        value = ".".join(map(str, value))
    return "s", str(value)[:TEXT_AT_MOST]


def torch_build() -> "Iterator[Tuple[str, Any]]":
    """The BLAS that PyTorch was built with: it may be inside of its own libraries."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    text = torch._C._show_config()
    for name, mark in BUILT_WITH:
        _, found, rest = text.partition(mark)
        if found:
            yield name, rest.split("\n")[0].split(",")[0].split(" ")[0].split("-")[0]


def numpy_seed() -> "Iterator[Tuple[str, Any]]":
    """The seed of NumPy's global generator, where nothing has been drawn since `numpy.random.seed`.

    Seeding with a number puts that number first in the state, and makes each word from the one
    before. The first draw replaces them all: from then on nobody can tell.
    """
    module = sys.modules.get("numpy.random.mtrand")
    if module is None:
        return
    state = module._rand._bit_generator.state["state"]
    first, second = int(state["key"][0]), int(state["key"][1])
    follows = (SEED_MULTIPLIER * (first ^ (first >> 30)) + 1) & 0xFFFFFFFF
    if int(state["pos"]) == 624 and second == follows:
        yield "numpy.random.seed", first


def interpreter() -> "Iterator[Tuple[str, Any]]":
    """Hashing, processors, and variables as they are now."""
    yield "python.hash_randomization", bool(sys.flags.hash_randomization)
    if hasattr(os, "sched_getaffinity"):
        yield "process.cpus", len(os.sched_getaffinity(0))
    for name in VARIABLES:
        value = os.environ.get(name)
        if value is not None:
            yield "variables." + name, value


def pools(libraries: "Sequence[bytes]") -> "List[Tuple[str, ...]]":
    """The pools of threads that threadpoolctl finds."""
    if not any(mark in path[path.rfind(b"/") :] for path in libraries for mark in POOLED):
        return []
    was_set = os.environ.get("KMP_DUPLICATE_LIB_OK")
    try:
        found = pool_info()
    except Exception:  # not installed, or broken
        found = []
    finally:
        if was_set is None:  # importing threadpoolctl sets it
            os.environ.pop("KMP_DUPLICATE_LIB_OK", None)
    return [
        (
            "pool",
            str(each.get("internal_api") or ""),
            str(each.get("version") or ""),
            str(each.get("num_threads") or 0),
            str(each.get("architecture") or ""),
            str(each.get("filepath") or ""),
        )
        for each in found
    ]


def pool_info() -> "Any":
    """What threadpoolctl tells; its warnings are not the program's."""
    import threadpoolctl

    warnings = sys.modules["warnings"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return threadpoolctl.threadpool_info()
