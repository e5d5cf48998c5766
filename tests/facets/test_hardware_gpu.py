"""GPUs where NVML does not help: none there, another platform, the kernel's own words."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from envstage.facets import gpu, nvml
from envstage.facets.contract import Collected, Request
from envstage.snapshot.model import Level, NotApplicable, Unknown, Value
from tests.hosts import CapturedHost, host

REQUEST = Request(root="/project", level=Level.HARDWARE)
H100 = "NVIDIA H100 80GB HBM3"
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build"
    "  (dvs-builder@U16)  Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc version 12.2.0\n"
)
CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\n"
)


# Built here rather than captured: Windows cannot check out a folder named after a PCI address.
def machine(
    folder: Path,
    *models: str,
    version: str = OPEN,
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> CapturedHost:
    """A machine whose kernel lists GPUs of these models, with a device node."""
    content = {"/proc/driver/nvidia/version": version, "/dev/nvidiactl": ""}
    for number, model in enumerate(models):
        information = f"/proc/driver/nvidia/gpus/0000:{number:02x}:00.0/information"
        content[information] = f"Model: \t\t {model}\nIRQ:   \t\t 90\nGPU UUID: \t GPU-????\n"
    for path, text in {**content, **(files or {})}.items():
        target = folder / "files" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (folder / "host.json").write_text(json.dumps({"platform": "linux"}))
    return CapturedHost(folder, environ=environ)


def fact(collected: Collected, name: str) -> Value:
    return collected.facts["hardware", "gpu", name]


NAMES = ("models", "visible", "driver", "cuda_driver")


@pytest.mark.hard_case(15)
def test_no_gpu_is_absent() -> None:
    collected = gpu.collect(host("linux-zen3-smt"), REQUEST)
    assert [fact(collected, name) for name in NAMES] == [None] * 4
    assert collected.anomalies == ()


def test_on_macos_there_cannot_be_one() -> None:
    collected = gpu.collect(host("darwin-m3"), REQUEST)
    for name in NAMES:
        assert fact(collected, name) == NotApplicable("NVIDIA has no driver for macOS")


def test_a_container_that_was_given_no_gpu_has_none(tmp_path: Path) -> None:
    world = machine(tmp_path, H100)
    (tmp_path / "files" / "dev" / "nvidiactl").unlink()
    collected = gpu.collect(world, REQUEST)
    assert [fact(collected, name) for name in NAMES] == [None] * 4


@pytest.mark.hard_case(15)
@pytest.mark.parametrize(("version", "driver"), [(OPEN, "550.54.15"), (CLOSED, "535.129.03")])
def test_without_nvml_the_kernel_tells_driver_and_models(
    tmp_path: Path, version: str, driver: str
) -> None:
    collected = gpu.collect(machine(tmp_path, H100, H100, version=version), REQUEST)
    assert fact(collected, "driver") == driver
    assert fact(collected, "models") == (H100,)
    assert fact(collected, "visible") == Unknown(gpu.NO_LIBRARY)
    assert fact(collected, "cuda_driver") == Unknown(gpu.NO_LIBRARY)
    assert collected.anomalies == (f"the GPUs are not known for certain: {gpu.NO_LIBRARY}",)


@pytest.mark.parametrize(
    ("selection", "order", "expected"),
    [
        (None, None, ("NVIDIA A40", "Tesla T4")),
        ("1", "PCI_BUS_ID", ("NVIDIA A40",)),
        ("", None, None),
        ("5", "PCI_BUS_ID", None),
        ("1", None, Unknown(gpu.NO_LIBRARY)),  # which is the fastest, the kernel does not say
        ("MIG-1234", None, Unknown(gpu.NO_LIBRARY)),
        ("GPU-1234", None, Unknown(gpu.NO_LIBRARY)),
    ],
)
def test_without_nvml_a_selection_is_followed_where_it_can_be(
    tmp_path: Path, selection: str | None, order: str | None, expected: Value
) -> None:
    asked = {"CUDA_VISIBLE_DEVICES": selection, "CUDA_DEVICE_ORDER": order}
    environ = {name: value for name, value in asked.items() if value is not None}
    world = machine(tmp_path, "Tesla T4", "NVIDIA A40", environ=environ)
    assert fact(gpu.collect(world, REQUEST), "models") == expected


def test_a_broken_driver_folder_is_unknown(tmp_path: Path) -> None:
    world = machine(tmp_path, H100, H100, version="NVRM version: ")
    cut = tmp_path / "files/proc/driver/nvidia/gpus/0000:00:00.0/information"
    cut.write_text("Mod")
    collected = gpu.collect(world, REQUEST)
    for name in NAMES:
        assert fact(collected, name) == Unknown(gpu.NO_LIBRARY)


def test_a_gpu_of_another_maker_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    world = machine(tmp_path, files={"/dev/kfd": ""})
    (tmp_path / "files" / "dev" / "nvidiactl").unlink()
    collected = gpu.collect(world, REQUEST)
    assert fact(collected, "models") is None
    assert collected.anomalies == (gpu.OTHER_MAKER,)


def test_nothing_is_looked_at_below_the_level(tmp_path: Path) -> None:
    request = Request(root="/project", level=Level.PLATFORM)
    assert gpu.collect(machine(tmp_path, H100), request) == Collected(facts={})


@pytest.mark.parametrize(
    ("path", "content", "environ", "expected"),
    [
        ("/etc/ld.so.cache", "\0libnvidia-ml.so.1\0/opt/driver/libnvidia-ml.so.1\0", {}, True),
        ("/etc/ld.so.cache", "\0libm.so.6\0/usr/lib64/libm.so.6\0", {}, False),
        ("/usr/lib/wsl/lib/libnvidia-ml.so.1", "", {}, True),
        ("/opt/x/libnvidia-ml.so.1", "", {"LD_LIBRARY_PATH": "/opt/x"}, True),
        ("/opt/x/libnvidia-ml.so.1", "", {"LD_LIBRARY_PATH": "/opt"}, False),
    ],
)
def test_where_the_loader_would_find_the_library(
    tmp_path: Path, path: str, content: str, environ: dict[str, str], expected: bool
) -> None:
    world = machine(tmp_path, files={path: content}, environ=environ)
    assert nvml.is_installed(world) is expected
