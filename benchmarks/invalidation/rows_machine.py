"""Rows: variables, GPUs by the stand-in library, tools."""

import shutil
from typing import Final

from benchmarks.invalidation.bench import Bench
from benchmarks.invalidation.stages import ALIGN, ALL, GPU, HARDWARE, NONE, PYTHON, SHELL
from benchmarks.invalidation.table import Change, Row
from tests import nvml

# Nobody can see which variables a program without Python reads.
_UNSEEN: Final = "a program other than Python may read any variable"


def rows() -> tuple[Row, ...]:
    """Every row of this file."""
    return (*_variables(), *_paths(), *_gpus(), *_tools())


def _row(
    group: str,
    name: str,
    change: Change,
    should: frozenset[str],
    why: str,
    first: tuple[Change, ...] = (),
) -> Row:
    return Row(group=group, name=name, change=change, should=should, why=why, first=first)


def _set(**variables: str) -> Change:
    return lambda bench: bench.set(**variables)


def _variables() -> tuple[Row, ...]:
    group = "variables"
    others = frozenset({SHELL, ALIGN})
    return (
        _row(group, "PYTHONHASHSEED=0", _set(PYTHONHASHSEED="0"), PYTHON,
             "the order of sets; `sort` has none"),
        _row(group, "PYTHONHASHSEED=random", _set(PYTHONHASHSEED="random"), NONE,
             "means the same as unset"),
        _row(group, "PYTHONOPTIMIZE=1", _set(PYTHONOPTIMIZE="1"), PYTHON, "asserts are not there"),
        _row(group, "GLIBC_TUNABLES", _set(GLIBC_TUNABLES="glibc.malloc.check=0"), ALL,
             "every program uses the C library"),
        _row(group, "OPENBLAS_CORETYPE", _set(OPENBLAS_CORETYPE="Haswell"), ALL,
             "any package may bring its own OpenBLAS, under any name"),
        _row(group, "KERAS_BACKEND", _set(KERAS_BACKEND="jax"), others,
             f"no stage imports Keras; {_UNSEEN}"),
        _row(group, "VLLM_ATTENTION_BACKEND", _set(VLLM_ATTENTION_BACKEND="XFORMERS"), others,
             f"no stage imports vLLM; {_UNSEEN}"),
        _row(group, "TORCH_COMPILE_DISABLE", _set(TORCH_COMPILE_DISABLE="1"), others,
             f"no stage imports PyTorch; {_UNSEEN}"),
        _row(group, "CUBLAS_WORKSPACE_CONFIG", _set(CUBLAS_WORKSPACE_CONFIG=":4096:8"),
             others | {GPU}, f"for runs that used the GPU; {_UNSEEN}"),
        _row(group, "CUBLAS_WORKSPACE_CONFIG changed", _set(CUBLAS_WORKSPACE_CONFIG=":16:8"),
             others | {GPU}, f"for runs that used the GPU; {_UNSEEN}",
             first=(_set(CUBLAS_WORKSPACE_CONFIG=":4096:8"),)),
        _row(group, "a watched variable", _set(MY_FLAG="1"), ALL, "the project says that it acts"),
        _row(group, "a watched variable changed", _set(MY_FLAG="2"), ALL,
             "the project says that it acts", first=(_set(MY_FLAG="1"),)),
        _row(group, "a watched secret", _set(MY_TOKEN="ghp_" + "a1B2" * 9), NONE,
             "secrets never count"),
        _row(group, "a variable that nobody watches", _set(MY_OTHER_FLAG="1"), NONE,
             "if it acts, the project has to say so"),
        _row(group, "OMP_NUM_THREADS=1", _set(OMP_NUM_THREADS="1"), HARDWARE,
             "acts by the effective count of threads, which counts from the hardware level on"),
        _row(group, "OMP_NUM_THREADS as it is", lambda bench: bench.set(
            OMP_NUM_THREADS=str(bench.processors)), NONE, "the effective count is what it was"),
    )  # fmt: skip


def _paths() -> tuple[Row, ...]:
    group = "LD_LIBRARY_PATH"

    def libraries(name: str) -> Change:
        def change(bench: Bench) -> None:
            bench.edit(f"libraries/{name}", "")
            before = bench.environ["LD_LIBRARY_PATH"]
            bench.set(LD_LIBRARY_PATH=f"{before}:{bench.base / 'libraries'}")

        return change

    return (
        _row(group, "a folder with a library", libraries("libblas.so.3"), ALL,
             "every program's loader looks there first"),
        _row(group, "a folder without libraries", libraries("readme.txt"), NONE,
             "it brings nothing"),
    )  # fmt: skip


def _gpus() -> tuple[Row, ...]:
    group = "GPUs"
    one = frozenset({GPU})
    why = "one stage used the GPU; the CPU-only stage at the same level did not"
    h100 = nvml.gpu(identifier=nvml.identifier(1))

    def state(text: str) -> Change:
        return lambda bench: bench.gpu(text)

    def third_of_eight(bench: Bench) -> None:
        bench.gpu(nvml.EIGHT_H100)
        bench.set(CUDA_VISIBLE_DEVICES="3")

    return (
        _row(group, "driver upgraded", state(nvml.machine(h100, driver="560.35.03")), one, why),
        _row(group, "driver that supports a newer CUDA", state(nvml.machine(h100, cuda=12060)),
             one, why),
        _row(group, "another model", state(nvml.ONE_A100), one, why),
        _row(group, "eight instead of one", state(nvml.EIGHT_H100), one, why),
        _row(group, "cut into slices (MIG)", state(nvml.CUT), one, why),
        _row(group, "none visible", _set(CUDA_VISIBLE_DEVICES=""), one, why),
        _row(group, "none in the machine", state(nvml.NO_GPU), one, why),
        _row(group, "one of eight equal ones", third_of_eight, NONE,
             "what the stage sees is one H100, as before"),
        _row(group, "another one of the same model",
             state(nvml.machine(nvml.gpu(identifier=nvml.identifier(9)))), NONE,
             "a serial number computes nothing"),
    )  # fmt: skip


def _tools() -> tuple[Row, ...]:
    group = "tools"
    one = frozenset({ALIGN})

    def moved(bench: Bench) -> None:
        folder = bench.tools / "bin"
        folder.mkdir()
        shutil.move(bench.tools / "aligner", folder / "aligner")
        path = bench.variables()["PATH"]
        bench.set(PATH=f"{folder}:{path}")

    return (
        _row(group, "a declared tool upgraded",
             lambda bench: bench.script("aligner", "echo aligner 2.0"), one,
             "one stage starts programs; `sort`'s view excludes tools"),
        _row(group, "a declared tool built anew",
             lambda bench: bench.script("aligner", "# again\necho aligner 1.0"), one,
             "the same version line, another file"),
        _row(group, "a declared tool removed", lambda bench: (bench.tools / "aligner").unlink(),
             one, "the stage fails without it, and must"),
        _row(group, "a declared tool moved", moved, NONE, "the same file at another path"),
    )  # fmt: skip
