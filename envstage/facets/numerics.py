"""The environment variables that change what a program computes: the default watch list.

The list belongs to the schema: a new release does not extend it for committed views. Strict on
purpose, since every entry can cause reruns. Not in it: variables that set thread counts (they act
through `hardware.threads`), that choose devices (`hardware.gpu.visible`), that only log, cache,
allocate or place memory and threads, or that choose packages (these are seen in `packages`).
"""

from typing import Final, NamedTuple


class Variable(NamedTuple):
    """A variable and why its value changes results."""

    name: str
    why: str


DEFAULTS: Final = (
    # Python itself
    Variable("PYTHONHASHSEED", "the order of sets of texts, and all that follows from it"),
    Variable("PYTHONOPTIMIZE", "asserts and, at 2, docstrings are not there"),
    Variable("PYTHONUTF8", "the encoding in which files are opened by default"),
    Variable("PYTHONSAFEPATH", "whether modules beside the script are importable"),
    # The C library
    Variable("GLIBC_TUNABLES", "which variants of exp, sin, … the processor's features select"),
    # CUDA libraries
    Variable("NVIDIA_TF32_OVERRIDE", "TF32 in all CUDA libraries, over what the program sets"),
    Variable("CUDA_FORCE_PTX_JIT", "kernels compiled by the driver in place of those shipped"),
    Variable("CUDA_DISABLE_PTX_JIT", "whether kernels may be compiled by the driver"),
    Variable("CUBLAS_WORKSPACE_CONFIG", "whether cuBLAS is deterministic across streams"),
    Variable("CUBLASLT_WORKSPACE_SIZE", "which matrix algorithms fit into cuBLASLt's workspace"),
    Variable("CUBLAS_EMULATE_SINGLE_PRECISION", "float32 products emulated in bfloat16"),
    Variable("CUBLAS_EMULATE_DOUBLE_PRECISION", "float64 products emulated in integers"),
    Variable("CUBLAS_EMULATION_STRATEGY", "when products are emulated"),
    Variable("CUDNN_CONV_WSCAP_DBG", "which convolution algorithms fit into the workspace"),
    Variable("NCCL_ALGO", "the order in which GPUs sum"),
    Variable("NCCL_PROTO", "the order in which GPUs sum"),
    Variable("NCCL_NVLS_ENABLE", "sums made in the switch between GPUs"),
    Variable("NCCL_COLLNET_ENABLE", "sums made in the network"),
    # ROCm libraries
    Variable("HSA_OVERRIDE_GFX_VERSION", "kernels of another GPU architecture"),
    Variable("HIPBLASLT_ALLOW_TF32", "TF32 in matrix products"),
    Variable("HIPBLASLT_WORKSPACE_SIZE", "which matrix algorithms fit into the workspace"),
    Variable("MIOPEN_FIND_MODE", "how convolution algorithms are chosen"),
    Variable("MIOPEN_DEBUG_CONVOLUTION_ATTRIB_FP16_ALT_IMPL", "bfloat16 inside of float16"),
    Variable("ROCBLAS_INTERNAL_FP16_ALT_IMPL", "bfloat16 inside of float16"),
    Variable("ROCBLAS_DEFAULT_ATOMICS_MODE", "whether sums come in a fixed order"),
    Variable("ROCBLAS_USE_HIPBLASLT", "the library that multiplies matrices"),
    # BLAS, LAPACK and OpenMP on the processor
    Variable("MKL_CBWR", "reproducible code paths of MKL"),
    Variable("MKL_ENABLE_INSTRUCTIONS", "the instruction set that MKL uses at most"),
    Variable("MKL_DEBUG_CPU_TYPE", "the processor that MKL takes this one for"),
    Variable("MKL_DYNAMIC", "whether MKL changes its thread count from call to call"),
    Variable("MKL_THREADING_LAYER", "the threading under MKL: sequential, Intel, GNU, TBB"),
    Variable("MKL_INTERFACE_LAYER", "the width of MKL's integers"),
    Variable("MKL_SERVICE_FORCE_INTEL", "Intel's threading, where GNU's is already loaded"),
    Variable("OPENBLAS_CORETYPE", "the processor that OpenBLAS takes this one for"),
    Variable("BLIS_ARCH_TYPE", "the processor that BLIS takes this one for"),
    Variable("BLIS_MODEL_TYPE", "the model of it"),
    Variable("FLEXIBLAS", "the BLAS library that FlexiBLAS loads"),
    Variable("ONEDNN_MAX_CPU_ISA", "the instruction set that oneDNN uses at most"),
    Variable("DNNL_MAX_CPU_ISA", "the same, by its former name"),
    Variable("ONEDNN_CPU_ISA_HINTS", "vector widths that oneDNN prefers"),
    Variable("DNNL_CPU_ISA_HINTS", "the same, by its former name"),
    Variable("ONEDNN_DEFAULT_FPMATH_MODE", "bfloat16 or TF32 inside of float32"),
    Variable("DNNL_DEFAULT_FPMATH_MODE", "the same, by its former name"),
    Variable("OMP_DYNAMIC", "whether OpenMP changes its thread count from region to region"),
    Variable("OMP_SCHEDULE", "how iterations, and so partial sums, are shared out"),
    Variable("KMP_DETERMINISTIC_REDUCTION", "whether partial sums come in a fixed order"),
    Variable("KMP_FORCE_REDUCTION", "how partial sums are combined"),
    Variable("KMP_DUPLICATE_LIB_OK", "two OpenMP runtimes at once: results may be wrong"),
    Variable("KMP_LIBRARY", "`serial` runs parallel regions on one thread"),
    # NumPy, SciPy, pandas, scikit-learn, Numba, CuPy, PyTensor
    Variable("NPY_DISABLE_CPU_FEATURES", "the loops that NumPy does not use"),
    Variable("NPY_ENABLE_CPU_FEATURES", "the only loops that NumPy uses"),
    Variable("NPY_PROMOTION_STATE", "the rules by which types are promoted"),
    Variable("SCIPY_ARRAY_API", "arrays computed by their own library"),
    Variable("SKLEARN_ASSUME_FINITE", "whether input is checked for NaN"),
    Variable("PANDAS_COPY_ON_WRITE", "whether views change their source"),
    Variable("PANDAS_FUTURE_INFER_STRING", "the type of text columns"),
    Variable("NUMBA_DISABLE_JIT", "Python in place of compiled code"),
    Variable("NUMBA_CPU_NAME", "the processor that is compiled for"),
    Variable("NUMBA_CPU_FEATURES", "the instructions that are compiled for"),
    Variable("NUMBA_OPT", "the optimisation level"),
    Variable("NUMBA_LOOP_VECTORIZE", "whether sums are vectorised"),
    Variable("NUMBA_SLP_VECTORIZE", "whether statements are vectorised"),
    Variable("NUMBA_ENABLE_AVX", "whether AVX is compiled for"),
    Variable("NUMBA_DISABLE_INTEL_SVML", "the library of exp, sin, …"),
    Variable("NUMBA_BOUNDSCHECK", "whether indices are checked"),
    Variable("NUMBA_THREADING_LAYER", "how parallel loops are shared out"),
    Variable("NUMBA_THREADING_LAYER_PRIORITY", "how parallel loops are shared out"),
    Variable("NUMBA_ENABLE_CUDASIM", "the simulator in place of the GPU"),
    Variable("CUPY_ACCELERATORS", "the libraries that sum and multiply"),
    Variable("CUPY_TF32", "TF32 in matrix products"),
    Variable("PYTENSOR_FLAGS", "types, optimisations and compiler flags"),
    # PyTorch and what is built on it
    Variable("ATEN_CPU_CAPABILITY", "the instruction set of PyTorch's kernels"),
    Variable("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "TF32 over what the program sets"),
    Variable("TORCH_BLAS_PREFER_CUBLASLT", "the library that multiplies matrices"),
    Variable("TORCH_BLAS_PREFER_HIPBLASLT", "the library that multiplies matrices"),
    Variable("TORCH_LINALG_PREFER_CUSOLVER", "the library that solves and decomposes"),
    Variable("TORCH_LINALG_PREFER_MAGMA", "the library that solves and decomposes"),
    Variable("TORCH_CUDNN_V8_API_DISABLED", "how convolution algorithms are chosen"),
    Variable("TORCH_CUDNN_USE_HEURISTIC_MODE_B", "how convolution algorithms are chosen"),
    Variable("TORCH_COMPILE_DISABLE", "whether code is compiled"),
    Variable("TORCHDYNAMO_DISABLE", "whether code is compiled"),
    Variable("TORCHINDUCTOR_MAX_AUTOTUNE", "kernels chosen by measuring them"),
    Variable("TORCHINDUCTOR_MAX_AUTOTUNE_GEMM", "matrix kernels chosen by measuring them"),
    Variable("TORCHINDUCTOR_COORDINATE_DESCENT_TUNING", "kernels chosen by measuring them"),
    Variable("TORCHINDUCTOR_EMULATE_PRECISION_CASTS", "rounding between fused operations"),
    Variable("TORCHINDUCTOR_FREEZING", "weights folded into constants"),
    Variable("PYTORCH_TUNABLEOP_ENABLED", "matrix kernels chosen by measuring them"),
    Variable("PYTORCH_TUNABLEOP_TUNING", "whether the choice is measured or read"),
    Variable("PYTORCH_JIT", "whether TorchScript compiles"),
    Variable("PYTORCH_NVFUSER_DISABLE", "which operations are fused"),
    Variable("PYTORCH_ENABLE_MPS_FALLBACK", "operations done on the processor"),
    Variable("PYTORCH_MPS_FAST_MATH", "approximate arithmetic on Apple's GPUs"),
    Variable("PYTORCH_MPS_PREFER_METAL", "the library that multiplies matrices"),
    Variable("PL_GLOBAL_SEED", "Lightning's seed"),
    Variable("ACCELERATE_MIXED_PRECISION", "half precision in training"),
    Variable("ACCELERATE_USE_CPU", "the processor in place of the GPU"),
    Variable("ACCELERATE_DYNAMO_BACKEND", "how code is compiled"),
    Variable("NVTE_ALLOW_NONDETERMINISTIC_ALGO", "whether attention is deterministic"),
    Variable("NVTE_FLASH_ATTN", "which attention is computed"),
    Variable("NVTE_FUSED_ATTN", "which attention is computed"),
    Variable("VLLM_ATTENTION_BACKEND", "which attention is computed"),
    Variable("VLLM_BATCH_INVARIANT", "whether results depend on the batch"),
    Variable("TRITON_F32_DEFAULT", "TF32 or IEEE in Triton's products"),
    Variable("TRITON_INTERPRET", "the interpreter in place of the GPU"),
    # TensorFlow, Keras, JAX, XLA, Paddle
    Variable("TF_DETERMINISTIC_OPS", "whether operations are deterministic"),
    Variable("TF_CUDNN_DETERMINISTIC", "whether convolutions are deterministic"),
    Variable("TF_CUDNN_USE_AUTOTUNE", "convolution algorithms chosen by measuring them"),
    Variable("TF_ENABLE_ONEDNN_OPTS", "oneDNN's kernels, which round differently"),
    Variable("TF_SET_ONEDNN_FPMATH_MODE", "bfloat16 inside of float32"),
    Variable("TF_XLA_FLAGS", "what XLA compiles"),
    Variable("TF_ENABLE_AUTO_MIXED_PRECISION", "half precision in training"),
    Variable("TF_ENABLE_CUBLAS_TENSOR_OP_MATH_FP32", "half precision inside of float32"),
    Variable("TF_ENABLE_CUDNN_TENSOR_OP_MATH_FP32", "half precision inside of float32"),
    Variable("TF_DISABLE_CUBLAS_TENSOR_OP_MATH", "whether tensor cores are used"),
    Variable("TF_DISABLE_CUDNN_TENSOR_OP_MATH", "whether tensor cores are used"),
    Variable("TF_ENABLE_WINOGRAD_NONFUSED", "which convolution algorithms are allowed"),
    Variable("TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT", "how batches are normalised"),
    Variable("TF_USE_LEGACY_KERAS", "Keras 2 in place of 3"),
    Variable("KERAS_BACKEND", "what computes under Keras"),
    Variable("XLA_FLAGS", "how XLA compiles: fast-math, determinism, autotuning"),
    Variable("LIBTPU_INIT_ARGS", "how the TPU's compiler works"),
    Variable("JAX_ENABLE_X64", "64-bit types"),
    Variable("JAX_DEFAULT_DTYPE_BITS", "the width of default types"),
    Variable("JAX_DEFAULT_MATMUL_PRECISION", "TF32 or bfloat16 in products"),
    Variable("JAX_NUMPY_DTYPE_PROMOTION", "the rules by which types are promoted"),
    Variable("JAX_PLATFORMS", "CPU, GPU or TPU"),
    Variable("JAX_PLATFORM_NAME", "CPU, GPU or TPU"),
    Variable("JAX_DISABLE_JIT", "whether code is compiled"),
    Variable("JAX_DISABLE_MOST_OPTIMIZATIONS", "how code is compiled"),
    Variable("JAX_DEFAULT_PRNG_IMPL", "the random number generator"),
    Variable("JAX_THREEFRY_PARTITIONABLE", "the random numbers"),
    Variable("JAX_RANDOM_SEED_OFFSET", "the random numbers"),
    Variable("FLAGS_cudnn_deterministic", "Paddle: whether convolutions are deterministic"),
)

# Their values are folders or files; what counts is what these make importable or loadable.
MODULE_PATHS: Final = (Variable("PYTHONPATH", "modules that shadow what is installed, or join it"),)
LIBRARY_PATHS: Final = (
    Variable("LD_LIBRARY_PATH", "libraries that are loaded before the package's own"),
    Variable("LD_PRELOAD", "libraries whose functions replace others"),
    Variable("DYLD_LIBRARY_PATH", "libraries that are loaded before the package's own"),
    Variable("DYLD_FALLBACK_LIBRARY_PATH", "libraries that are loaded where none is found"),
    Variable("DYLD_INSERT_LIBRARIES", "libraries whose functions replace others"),
)

# Not even where the configuration watches them: which GPU is at hand is a fact of the hardware,
# and what DVC or envstage tell their children says nothing about the environment.
NEVER: Final = ("CUDA_VISIBLE_DEVICES", "DVC_*", "ENVSTAGE_*")
