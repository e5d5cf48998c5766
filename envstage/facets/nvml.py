"""NVIDIA's management library: what it says of the driver and the GPUs, all of them.

The library is asked through the module `pynvml` of nvidia-ml-py. It is a part of the driver, can
be broken in its own ways and can hang: it is called from a thread that is not waited for long.
"""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from envstage.world import World

TIMEOUT_S: Final = 10.0
LIBRARY: Final = "libnvidia-ml.so.1"
LOADER_CACHE: Final = "/etc/ld.so.cache"
# Where drivers put it that the loader's cache may not know: WSL, NixOS, containers of GKE.
FOLDERS: Final = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",
    "/usr/local/nvidia/lib64",
)
NO_ANSWER: Final = "NVML did not answer in time"
# Words of our own: those of the library change with its version.
ERRORS: Final = {
    2: "NVML refused an argument",
    3: "NVML does not support a query that is needed",
    4: "NVML: no permission",
    9: "the NVIDIA driver is not loaded",
    10: NO_ANSWER,
    12: f"{LIBRARY} cannot be loaded",
    13: "NVML is too old: it lacks a function that is needed",
    15: "a GPU does not answer (it fell off the bus)",
    16: "a GPU needs a reset",
    17: "the operating system blocks NVML",
    18: "the NVIDIA library and the driver in the kernel differ in version",
    999: "NVML failed for a reason that it does not tell",
}
DRIVER_NOT_LOADED: Final = 9
NOT_SUPPORTED: Final = (2, 3, 13)
NO_PERMISSION: Final = 4
NOT_FOUND: Final = 6


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU, or a slice of one. The identifier serves to select; it is never stored."""

    model: str
    identifier: str
    memory_bytes: int | None  # None: it shares the machine's memory (GB10, Tegra)
    compute: tuple[int, int]
    slices: "tuple[Device, ...] | None" = None  # None: the GPU is not in MIG mode


class Nvidia(msgspec.Struct, frozen=True, kw_only=True):
    """The driver, and the GPUs in the order of their PCI addresses."""

    driver: str
    cuda_driver: str
    devices: tuple[Device, ...]


class Failure(msgspec.Struct, frozen=True):
    """Why the library gave no answer; the code is NVML's."""

    why: str
    code: int | None = None


def is_installed(world: World) -> bool:
    """Whether the loader could find the library. Costs a few questions to the file system."""
    if world.platform == "win32":
        windows = world.environ.get("WINDIR", "C:/Windows")
        return world.exists(f"{windows}/System32/nvml.dll")
    folders = (*search_path(world), *FOLDERS)
    if any(world.exists(f"{folder}/{LIBRARY}") for folder in folders):
        return True
    try:
        return LIBRARY.encode() in world.read(LOADER_CACHE)
    except OSError:
        return False


def search_path(world: World) -> tuple[str, ...]:
    """The absolute folders of LD_LIBRARY_PATH: what a relative one means depends on the caller."""
    folders = re.split("[:;]", world.environ.get("LD_LIBRARY_PATH", ""))
    return tuple(folder for folder in folders if folder.startswith("/"))


def ask() -> Nvidia | Failure:
    """What the library says, or why it says nothing."""
    try:
        import pynvml
    except ImportError:
        return Failure("nvidia-ml-py is not installed beside envstage")
    answer = _in_time(lambda: _read(pynvml), TIMEOUT_S)
    return Failure(NO_ANSWER) if answer is None else answer


def _in_time(question: Callable[[], Nvidia | Failure], timeout_s: float) -> Nvidia | Failure | None:
    """The answer; None if it takes too long. The thread that waits for it is left behind."""
    answers: list[Nvidia | Failure] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(question())
        except Exception as error:  # carried over, and raised in the thread that asked
            errors.append(error)

    thread = threading.Thread(target=run, name="nvml", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if errors:
        raise errors[0]
    return answers[0] if answers else None


def _read(pynvml: Any) -> Nvidia | Failure:  # untyped: the module has no annotations
    try:
        pynvml.nvmlInit()
        try:
            return Nvidia(
                driver=_text(pynvml.nvmlSystemGetDriverVersion()),
                cuda_driver=_cuda(pynvml.nvmlSystemGetCudaDriverVersion()),
                devices=tuple(_devices(pynvml)),
            )
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        code = int(error.value)
        return Failure(ERRORS.get(code, f"NVML failed with error {code}"), code)


def _text(answer: str | bytes) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _cuda(number: int) -> str:
    """`12.4` for 12040."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _devices(pynvml: Any) -> Iterator[Device]:
    """The GPUs that this process may use. NVML also counts those that it may not."""
    for index in range(pynvml.nvmlDeviceGetCount()):
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        except pynvml.NVMLError as error:
            if error.value == NO_PERMISSION:
                continue
            raise
        compute = tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle))
        yield _device(pynvml, handle, compute, _slices(pynvml, handle, compute))


def _device(
    pynvml: Any, handle: Any, compute: tuple[int, int], slices: tuple[Device, ...] | None = None
) -> Device:
    return Device(
        model=_text(pynvml.nvmlDeviceGetName(handle)),
        identifier=_text(pynvml.nvmlDeviceGetUUID(handle)),
        memory_bytes=_memory_bytes(pynvml, handle),
        compute=compute,
        slices=slices,
    )


def _memory_bytes(pynvml: Any, handle: Any) -> int | None:
    try:
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError as error:
        if error.value in NOT_SUPPORTED:
            return None
        raise


def _slices(pynvml: Any, handle: Any, compute: tuple[int, int]) -> tuple[Device, ...] | None:
    """The slices of a GPU in MIG mode; None for a GPU that is not in it or cannot be."""
    try:
        is_cut = bool(pynvml.nvmlDeviceGetMigMode(handle)[0])
    except pynvml.NVMLError as error:
        if error.value in NOT_SUPPORTED:
            return None
        raise
    return tuple(_cut(pynvml, handle, compute)) if is_cut else None


def _cut(pynvml: Any, handle: Any, compute: tuple[int, int]) -> Iterator[Device]:
    for index in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
        except pynvml.NVMLError as error:
            if error.value == NOT_FOUND:
                continue
            raise
        yield _device(pynvml, part, compute)
