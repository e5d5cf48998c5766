"""The NVIDIA GPUs that a stage's command would see, and their driver.

`CUDA_VISIBLE_DEVICES` selects among them as CUDA does; its value is never a fact: GPU 3 of a
machine with eight equal ones is as good as GPU 0. `NVIDIA_VISIBLE_DEVICES` is none of CUDA's
business: it tells a container's runtime what to mount, is `void` in containers that got their
GPUs through CDI (github.com/NVIDIA/nvidia-container-toolkit/pull/395), and what the container
got is what NVML lists.
"""

import re
from collections.abc import Iterable
from typing import Final

from envstage.facets import nvml
from envstage.facets.contract import Collected, FactRule, Request
from envstage.facets.nvml import Device, Failure, Nvidia
from envstage.snapshot.model import ABSENT, Address, Level, NotApplicable, Unknown, Value
from envstage.world import World

FACTS: Final = (
    FactRule(
        "hardware.gpu.models",
        Level.HARDWARE,
        "the different models among the visible NVIDIA GPUs; other makers' are not looked at",
    ),
    FactRule(
        "hardware.gpu.visible",
        Level.HARDWARE,
        "each visible NVIDIA GPU or slice, whatever its place",
    ),
    FactRule("hardware.gpu.driver", Level.HARDWARE, "the version of the NVIDIA driver"),
    FactRule(
        "hardware.gpu.cuda_driver",
        Level.HARDWARE,
        "the newest CUDA version that the driver supports",
    ),
)
NAMES: Final = ("models", "visible", "driver", "cuda_driver")

DRIVER_FOLDER: Final = "/proc/driver/nvidia"
CONTROL_NODE: Final = "/dev/nvidiactl"
AMD_NODE: Final = "/dev/kfd"
PCI_DEVICES: Final = "/sys/bus/pci/devices"
PCI_NVIDIA: Final = b"0x10de"
PCI_DISPLAY: Final = b"0x03"
GIB: Final = 1024**3

NO_LIBRARY: Final = (
    f"{nvml.LIBRARY} is not installed (a container needs `utility` in NVIDIA_DRIVER_CAPABILITIES)"
)
UNNUMBERED: Final = (
    "the GPUs differ and CUDA_VISIBLE_DEVICES selects by number:"
    " set CUDA_DEVICE_ORDER=PCI_BUS_ID, so that a number means the same GPU everywhere"
)
OTHER_MAKER: Final = "an AMD GPU may be here: envstage describes NVIDIA's only"


def collect(world: World, request: Request) -> Collected:
    """The facts of the GPUs; nothing is looked at where none of them is wanted."""
    if not any(request.wants(rule) for rule in FACTS):
        return Collected(facts={})
    if world.platform == "darwin":
        nothing = NotApplicable("NVIDIA has no driver for macOS")
        return _facts(nothing, nothing, nothing, nothing)
    answer = _look(world)
    if answer is None:
        anomalies = (OTHER_MAKER,) if world.exists(AMD_NODE) else ()
        return _facts(ABSENT, ABSENT, ABSENT, ABSENT, anomalies)
    if isinstance(answer, Failure):
        return _second_hand(world, answer)
    return _seen(world, answer)


def _facts(
    models: Value, visible: Value, driver: Value, cuda: Value, anomalies: tuple[str, ...] = ()
) -> Collected:
    values = zip(NAMES, (models, visible, driver, cuda), strict=True)
    facts: dict[Address, Value] = {("hardware", "gpu", name): value for name, value in values}
    return Collected(facts=facts, anomalies=anomalies)


def _look(world: World) -> Nvidia | Failure | None:
    """What NVML says; None on a machine that has no NVIDIA GPU to offer."""
    if nvml.is_installed(world):
        world.witness("nvml", "", None)
        answer = nvml.ask()
        is_unloaded = isinstance(answer, Failure) and answer.code == nvml.DRIVER_NOT_LOADED
        return None if is_unloaded and not _has_card(world) else answer
    # Any container of a GPU machine sees the driver's folder. Only one that was given a GPU
    # has the device node, without which CUDA finds nothing.
    if world.exists(f"{DRIVER_FOLDER}/version") and world.exists(CONTROL_NODE):
        return Failure(NO_LIBRARY)
    return None


def _has_card(world: World) -> bool:
    """Whether an NVIDIA GPU is plugged in, or its driver loaded after all."""
    return world.exists(DRIVER_FOLDER) or any(
        _first(world, f"{PCI_DEVICES}/{name}/vendor").startswith(PCI_NVIDIA)
        and _first(world, f"{PCI_DEVICES}/{name}/class").startswith(PCI_DISPLAY)
        for name in _names(world, PCI_DEVICES)
    )


def _seen(world: World, nvidia: Nvidia) -> Collected:
    environ = world.environ
    visible = select(
        nvidia.devices,
        selection=environ.get("CUDA_VISIBLE_DEVICES"),
        is_pci_order=environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID",
    )
    return _facts(
        _models(device.model for device in visible),
        tuple(sorted(description(device) for device in visible)) or ABSENT,
        nvidia.driver,
        nvidia.cuda_driver,
        (UNNUMBERED,) if _is_ambiguous(world, [each.model for each in nvidia.devices]) else (),
    )


def _models(models: Iterable[str]) -> Value:
    """The different ones, sorted. That of a slice is the GPU's."""
    return tuple(sorted({re.sub(r" MIG \S+$", "", model) for model in models})) or ABSENT


def description(device: Device) -> str:
    """`NVIDIA H100 80GB HBM3, 80 GiB, compute 9.0`.

    Rounded up: what the driver keeps for itself varies by its version and is always taken from
    a round number, so rounding down or to the nearest would wobble.
    """
    memory = device.memory_bytes
    size = "" if memory is None else f" {-(-memory // GIB)} GiB,"
    return f"{device.model},{size} compute {device.compute[0]}.{device.compute[1]}"


def select(
    devices: tuple[Device, ...], *, selection: str | None, is_pci_order: bool
) -> tuple[Device, ...]:
    """The GPUs and slices that CUDA would list.

    Args:
        devices: in the order of their PCI addresses.
        selection: the value of `CUDA_VISIBLE_DEVICES`, None if it is not set. It is read up to
            the first entry that names nothing, as CUDA does; one named twice is there once.
        is_pci_order: else CUDA numbers them from the fastest on.
    """
    numbered = devices if is_pci_order else tuple(sorted(devices, key=_slowness))
    if selection is None:
        return _with_slices(numbered)
    chosen: dict[str, Device] = {}
    for entry in selection.split(","):
        named = _named(entry.strip(), numbered)
        if named is None:
            break
        chosen.update((device.identifier, device) for device in _with_slices((named,)))
    return tuple(chosen.values())


def _slowness(device: Device) -> tuple[int, int, int]:
    major, minor = device.compute
    return -major, -minor, -(device.memory_bytes or 0)


def _with_slices(devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """Slices in place of the GPUs that are cut. CUDA may use just one: which, is its business."""
    return tuple(
        part
        for device in devices
        for part in ((device,) if device.slices is None else device.slices)
    )


def _named(entry: str, numbered: tuple[Device, ...]) -> Device | None:
    """The one device of that number, or whose identifier begins so."""
    if re.fullmatch(r"[0-9]{1,9}", entry):
        return numbered[int(entry)] if int(entry) < len(numbered) else None
    if not entry.startswith(("GPU-", "MIG-")):
        return None
    slices = [part for device in numbered for part in device.slices or ()]
    fitting = [each for each in (*numbered, *slices) if each.identifier.startswith(entry)]
    return fitting[0] if len(fitting) == 1 else None


def _is_ambiguous(world: World, models: list[str]) -> bool:
    """Whether numbers select among different GPUs, in an order that CUDA guesses."""
    selection = world.environ.get("CUDA_VISIBLE_DEVICES", "")
    is_by_number = selection.split(",")[0].strip().isdecimal()
    is_pci_order = world.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    return is_by_number and not is_pci_order and len(set(models)) > 1


def _second_hand(world: World, failure: Failure) -> Collected:
    """Driver and models as the kernel's module tells them, without NVML."""
    unknown = Unknown(failure.why)
    version = _first(world, f"{DRIVER_FOLDER}/version").decode("utf-8", "replace")
    found = re.search(r"Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)", version)
    return _facts(
        _models_without_nvml(world, unknown),
        unknown,
        found[1] if found else unknown,
        unknown,
        (f"the GPUs are not known for certain: {failure.why}",),
    )


def _models_without_nvml(world: World, unknown: Unknown) -> Value:
    """The models of the selected GPUs, as far as that can be told without NVML."""
    folder = f"{DRIVER_FOLDER}/gpus"
    texts = [_first(world, f"{folder}/{name}/information") for name in _names(world, folder)]
    found = [re.search(rb"^Model:\s*(\S.*?)\s*$", text, re.MULTILINE) for text in texts]
    models = [match[1].decode("utf-8", "replace") for match in found if match]
    selection = world.environ.get("CUDA_VISIBLE_DEVICES")
    if not models or len(models) < len(texts):
        return unknown
    if selection is None:
        return _models(models)
    if re.fullmatch(r"[\d\s,-]*", selection) and not _is_ambiguous(world, models):
        devices = tuple(
            Device(model=model, identifier=str(place), memory_bytes=None, compute=(0, 0))
            for place, model in enumerate(models)
        )
        chosen = select(devices, selection=selection, is_pci_order=True)
        return _models(device.model for device in chosen)
    return unknown


def _first(world: World, path: str) -> bytes:
    """The file's first bytes; none of a file that cannot be read."""
    try:
        return world.read(path, 4096)
    except OSError:
        return b""


def _names(world: World, folder: str) -> tuple[str, ...]:
    try:
        return world.list_dir(folder)
    except OSError:
        return ()
