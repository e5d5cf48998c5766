"""A machine with NVIDIA GPUs where there is none: a real library that pynvml loads and calls.

    environ = nvml_environ(tmp_path / "gpu", EIGHT_H100)
    subprocess.run([...], env={**os.environ, **environ})
    put_in(tmp_path / "gpu", ONE_A100)       # the same machine, another GPU

The loader looks at `LD_LIBRARY_PATH` when a process starts, so it takes a process of its own.
`LD_LIBRARY_PATH` stays what it is when the GPUs change, and so does the only file in the folder
that it names: a capture that differs before and after differs by its GPUs alone.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.nvml import build

GIB = 1024**3
MIB = 1024**2


def gpu(
    name: str = "NVIDIA H100 80GB HBM3",
    *,
    identifier: str = "GPU-00000000-0000-4000-8000-000000000000",
    memory_bytes: int = 81559 * MIB,
    compute: str = "9.0",
    slices: Sequence[str] | None = None,
) -> str:
    """A GPU as a line of the state; with `slices` (may be empty) it is in MIG mode."""
    is_cut = int(slices is not None)
    whole = f"gpu {memory_bytes}|{compute}|{is_cut}|{identifier}|{name}"
    return "\n".join([whole, *(slices or ())])


def part(name: str, *, identifier: str, memory_bytes: int) -> str:
    """A slice of a GPU, with the name that NVML gives it: `… MIG 1g.10gb`."""
    return f"slice {memory_bytes}|{identifier}|{name}"


def machine(*gpus: str, driver: str = "550.54.15", cuda: int = 12040) -> str:
    """The state of a machine: its driver, then its GPUs in PCI order."""
    return "\n".join([f"driver {driver}", f"cuda {cuda}", *gpus, ""])


def identifier(number: int) -> str:
    """A GPU's UUID, a different one for each number from its first digits on."""
    return f"GPU-{number:08x}-1111-4222-8333-444444444444"


A100 = "NVIDIA A100-SXM4-40GB"
T4 = "Tesla T4"
H100_SLICE = "NVIDIA H100 80GB HBM3 MIG 1g.10gb"

NO_GPU = machine()
ONE_H100 = machine(gpu(identifier=identifier(1)))
ONE_A100 = machine(
    gpu(A100, identifier=identifier(2), memory_bytes=40536 * MIB, compute="8.0"),
)
EIGHT_H100 = machine(*(gpu(identifier=identifier(number)) for number in range(8)))
MIXED = machine(
    gpu(T4, identifier=identifier(3), memory_bytes=15109 * MIB, compute="7.5"),
    gpu(identifier=identifier(4)),
    gpu(A100, identifier=identifier(5), memory_bytes=40536 * MIB, compute="8.0"),
)
CUT = machine(
    gpu(
        identifier=identifier(6),
        slices=(
            part(H100_SLICE, identifier="MIG-aaaa1111-1", memory_bytes=9856 * MIB),
            part(
                "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
                identifier="MIG-bbbb2222-2",
                memory_bytes=40320 * MIB,
            ),
        ),
    ),
    gpu(identifier=identifier(7)),
)
VERSIONS_DIFFER = "init 18\n"
NOT_LOADED = "init 9\n"
NOT_PERMITTED = "init 4\n"
HANGING = "hang\n"


def nvml_environ(folder: Path, state: str) -> dict[str, str]:
    """Variables to add to a process's environment, so that it finds these GPUs.

    `folder` belongs to the machine: its sub-folder `lib` holds the library and nothing else,
    `machine.txt` the state.
    """
    library = folder / "lib" / build.NAME
    if not library.exists():
        library.parent.mkdir(parents=True)
        shutil.copy2(build.library(), library)
    put_in(folder, state)
    return {"LD_LIBRARY_PATH": str(library.parent)}


def put_in(folder: Path, state: str) -> None:
    """Change the GPUs of a machine made by `nvml_environ`; its next nvmlInit sees them."""
    (folder / "machine.txt").write_text(state, encoding="utf-8")
