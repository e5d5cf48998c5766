"""Who reads a variable of the default list: a run that did not use the reader is not affected.

A variable that no entry names counts for every run: a library such as OpenBLAS comes inside of
many packages, under many names, and nobody can see who asks for it.
"""

from typing import Final

PYTHON: Final = "python"
GPU: Final = "gpu"

# By the start of the name, the first that fits; then the names that an import would use.
_READERS: Final = (
    ("PYTENSOR_", ("pytensor",)),
    ("PYTHON", (PYTHON,)),
    *((start, (GPU,)) for start in ("NVIDIA_", "CUDA_", "CUBLAS", "CUDNN_", "NCCL_")),
    *((start, (GPU,)) for start in ("HSA_", "HIPBLASLT_", "MIOPEN_", "ROCBLAS_")),
    ("NPY_", ("numpy",)),
    ("SCIPY_", ("scipy", "sklearn")),
    ("SKLEARN_", ("sklearn",)),
    ("PANDAS_", ("pandas",)),
    ("NUMBA_", ("numba",)),
    ("CUPY_", ("cupy",)),
    *((start, ("torch",)) for start in ("ATEN_", "TORCH_", "TORCHDYNAMO_", "TORCHINDUCTOR_")),
    ("PYTORCH_", ("torch",)),
    ("PL_", ("lightning", "pytorch_lightning", "lightning_fabric", "lightning_utilities")),
    ("ACCELERATE_", ("accelerate", "transformers")),
    ("NVTE_", ("transformer_engine", "transformer_engine_torch", "transformer_engine_jax")),
    ("VLLM_", ("vllm",)),
    ("TRITON_", ("triton", "torch")),
    ("TF_USE_LEGACY_KERAS", ("tensorflow", "keras", "tf_keras", "transformers")),
    ("TF_XLA_FLAGS", ("tensorflow", "jax", "jaxlib", "torch_xla")),
    ("TF_", ("tensorflow",)),
    ("KERAS_", ("keras", "keras_core", "tf_keras", "tensorflow")),
    ("XLA_", ("jax", "jaxlib", "tensorflow", "torch_xla")),
    ("LIBTPU_", ("libtpu", "jax", "jaxlib", "tensorflow", "torch_xla")),
    ("JAX_", ("jax", "jaxlib")),
    ("FLAGS_", ("paddle",)),
)


def readers_of(variable: str) -> tuple[str, ...]:
    """Who reads a variable: `python`, `gpu`, or names of modules; none: anybody may."""
    for start, readers in _READERS:
        if variable.startswith(start):
            return readers
    return ()
