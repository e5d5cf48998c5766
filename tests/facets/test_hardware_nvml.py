"""What NVML says becomes facts: the real pynvml calls a real library, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests import nvml
from tests.nvml import identifier

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
import msgspec
from envstage.facets import hardware, nvml
from envstage.facets.contract import Request
from envstage.snapshot.model import Level
from envstage.world import Machine
from tests.hosts import CapturedHost

nvml.TIMEOUT_S = float(sys.argv[2])
request = Request(root="/", level=Level(int(sys.argv[1])))
world = CapturedHost(Path(sys.argv[3])) if sys.argv[3] else Machine()
first, second = hardware.collect(world, request), hardware.collect(world, request)
assert first == second
facts = {".".join(name): value for name, value in first.facts.items()}
unknown = {n: v.why for n, v in facts.items() if type(v).__name__ == "Unknown"}
facts = {name: value for name, value in msgspec.to_builtins(facts).items() if name not in unknown}
json.dump({"facts": facts, "unknown": unknown, "anomalies": first.anomalies,
           "loaded": sorted(sys.modules)}, sys.stdout)
"""
H100 = "NVIDIA H100 80GB HBM3, 80 GiB, compute 9.0"
A100 = "NVIDIA A100-SXM4-40GB, 40 GiB, compute 8.0"
T4 = "Tesla T4, 15 GiB, compute 7.5"
SMALL = "NVIDIA H100 80GB HBM3 MIG 1g.10gb, 10 GiB, compute 9.0"
LARGE = "NVIDIA H100 80GB HBM3 MIG 3g.40gb, 40 GiB, compute 9.0"


def seen(
    folder: Path,
    state: str,
    *,
    level: int = 3,
    timeout_s: float = 10,
    host: Path | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """What a process collects on the machine of that state; its files are those of `host`."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CUDA_")}
    environ |= nvml.nvml_environ(folder, state) | {"PYTHONPATH": str(ROOT)} | dict(variables)
    command = [sys.executable, "-c", PROGRAM, str(level), str(timeout_s), str(host or "")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def machine_with(folder: Path, files: Mapping[str, str]) -> Path:
    """A captured machine with these files, on which the library is installed."""
    for path, text in {**files, "usr/lib64/libnvidia-ml.so.1": ""}.items():
        target = folder / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (folder / "host.json").write_text('{"platform": "linux"}')
    return folder


def visible(folder: Path, state: str, **variables: str) -> list[str] | None:
    answer = seen(folder, state, variables=variables)
    listed: list[str] | None = answer["facts"]["hardware.gpu.visible"]
    return listed


def test_one_gpu(tmp_path: Path) -> None:
    answer = seen(tmp_path, nvml.ONE_H100)
    gpu = {n: v for n, v in answer["facts"].items() if n.startswith("hardware.gpu.")}
    assert gpu == {
        "hardware.gpu.models": ["NVIDIA H100 80GB HBM3"],
        "hardware.gpu.visible": [H100],
        "hardware.gpu.driver": "550.54.15",
        "hardware.gpu.cuda_driver": "12.4",
    }
    assert answer["anomalies"] == []


def test_a_machine_without_gpus_has_a_driver_all_the_same(tmp_path: Path) -> None:
    facts = seen(tmp_path, nvml.NO_GPU)["facts"]
    assert facts["hardware.gpu.models"] is None
    assert facts["hardware.gpu.visible"] is None
    assert facts["hardware.gpu.driver"] == "550.54.15"


def test_another_gpu_or_driver_is_seen_under_the_same_variables(tmp_path: Path) -> None:
    before = seen(tmp_path, nvml.ONE_H100)["facts"]
    after = seen(tmp_path, nvml.ONE_A100)["facts"]
    assert {name for name in before if before[name] != after[name]} == {
        "hardware.gpu.models",
        "hardware.gpu.visible",
    }
    newer = nvml.ONE_A100.replace("driver 550.54.15", "driver 570.86.10")
    later = seen(tmp_path, newer)["facts"]
    assert {name for name in after if after[name] != later[name]} == {"hardware.gpu.driver"}


def test_which_of_equal_gpus_does_not_matter_but_how_many_does(tmp_path: Path) -> None:
    assert visible(tmp_path, nvml.EIGHT_H100) == [H100] * 8
    third = visible(tmp_path, nvml.EIGHT_H100, CUDA_VISIBLE_DEVICES="3")
    by_name = visible(tmp_path, nvml.EIGHT_H100, CUDA_VISIBLE_DEVICES=identifier(5))
    assert third == by_name == [H100]
    assert visible(tmp_path, nvml.EIGHT_H100, CUDA_VISIBLE_DEVICES="7,0") == [H100] * 2


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("", None),
        ("-1", None),
        ("NoDevFiles", None),
        ("0,-1,1", [T4]),  # up to the first that is none
        ("1, 2", [A100, H100]),
        ("1,9,0", [H100]),
        ("2,2", [A100]),
        ("9" * 5000, None),
        ("GPU-00000004", [H100]),  # a prefix that fits one
        ("GPU-0000000", None),  # one that fits several
        ("00000004", None),  # a prefix has `GPU-`: this is the number 4, and there is none
    ],
)
def test_selection_follows_cuda(tmp_path: Path, selection: str, expected: object) -> None:
    found = visible(
        tmp_path,
        nvml.MIXED,
        CUDA_VISIBLE_DEVICES=selection,
        CUDA_DEVICE_ORDER="PCI_BUS_ID",
    )
    assert found == expected


def test_different_gpus_are_numbered_from_the_fastest_on_and_a_person_is_told(
    tmp_path: Path,
) -> None:
    guessed = seen(tmp_path, nvml.MIXED, variables={"CUDA_VISIBLE_DEVICES": "0"})
    assert guessed["facts"]["hardware.gpu.visible"] == [H100]
    assert len(guessed["anomalies"]) == 1
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in guessed["anomalies"][0]
    by_bus = seen(
        tmp_path,
        nvml.MIXED,
        variables={"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"},
    )
    assert by_bus["facts"]["hardware.gpu.visible"] == [T4]
    assert by_bus["anomalies"] == []
    assert seen(tmp_path, nvml.MIXED)["anomalies"] == []
    equal = seen(tmp_path, nvml.EIGHT_H100, variables={"CUDA_VISIBLE_DEVICES": "0"})
    assert equal["anomalies"] == []


def test_the_order_of_the_gpus_in_the_machine_does_not_matter(tmp_path: Path) -> None:
    lines = nvml.MIXED.strip().split("\n")
    turned = "\n".join(lines[:2] + lines[:1:-1]) + "\n"
    assert turned != nvml.MIXED
    assert seen(tmp_path, nvml.MIXED)["facts"] == seen(tmp_path, turned)["facts"]


@pytest.mark.hard_case(16)
def test_slices_are_described_by_their_profile_and_memory(tmp_path: Path) -> None:
    answer = seen(tmp_path, nvml.CUT)
    assert answer["facts"]["hardware.gpu.visible"] == [SMALL, LARGE, H100]
    assert answer["facts"]["hardware.gpu.models"] == ["NVIDIA H100 80GB HBM3"]
    assert visible(tmp_path, nvml.CUT, CUDA_VISIBLE_DEVICES="MIG-aaaa1111-1") == [SMALL]
    assert visible(tmp_path, nvml.CUT, CUDA_VISIBLE_DEVICES="MIG-bbbb") == [LARGE]
    assert visible(tmp_path, nvml.CUT, CUDA_VISIBLE_DEVICES="0") == [SMALL, LARGE]
    assert visible(tmp_path, nvml.CUT, CUDA_VISIBLE_DEVICES="MIG-cccc") is None


def test_a_gpu_in_mig_mode_without_slices_offers_nothing(tmp_path: Path) -> None:
    assert visible(tmp_path, nvml.machine(nvml.gpu(slices=()))) is None


@pytest.mark.hard_case(16)
def test_nothing_that_identifies_a_device_is_stored(tmp_path: Path) -> None:
    answer = seen(tmp_path, nvml.CUT, variables={"CUDA_VISIBLE_DEVICES": "MIG-aaaa1111-1,0"})
    text = json.dumps([answer["facts"], answer["anomalies"]])
    assert "MIG-" not in text and "GPU-" not in text and "aaaa" not in text


def test_memory_does_not_wobble_with_what_the_driver_keeps(tmp_path: Path) -> None:
    for mebibytes in (81251, 81559, 81920):
        state = nvml.machine(nvml.gpu(memory_bytes=mebibytes * nvml.MIB))
        assert visible(tmp_path, state) == [H100]


def test_memory_shared_with_the_processor_is_left_out(tmp_path: Path) -> None:
    state = nvml.machine(nvml.gpu("NVIDIA GB10", memory_bytes=0, compute="12.1"))
    assert visible(tmp_path, state) == ["NVIDIA GB10, compute 12.1"]


def test_a_container_sees_the_gpus_that_it_was_given(tmp_path: Path) -> None:
    state = nvml.machine("denied", nvml.gpu(), "denied")
    assert visible(tmp_path, state) == [H100]
    # `void` is what CDI sets in a container that it gave GPUs to.
    assert visible(tmp_path, state, NVIDIA_VISIBLE_DEVICES="void") == [H100]


@pytest.mark.hard_case(15)
@pytest.mark.parametrize(
    ("state", "why"),
    [
        (nvml.VERSIONS_DIFFER, "the NVIDIA library and the driver in the kernel differ in version"),
        (nvml.NOT_PERMITTED, "NVML: no permission"),
        (nvml.machine(nvml.gpu(), "lost"), "a GPU does not answer (it fell off the bus)"),
        ("init 4711\n", "NVML failed with error 4711"),
    ],
)
def test_a_failure_is_unknown_and_never_absent(tmp_path: Path, state: str, why: str) -> None:
    answer = seen(tmp_path, state)
    for name in ("visible", "cuda_driver"):
        assert answer["unknown"][f"hardware.gpu.{name}"] == why
    assert any(why in anomaly for anomaly in answer["anomalies"])


@pytest.mark.parametrize("state", [nvml.VERSIONS_DIFFER, nvml.HANGING])
def test_what_the_kernel_tells_stands_in_for_what_nvml_does_not(tmp_path: Path, state: str) -> None:
    files = {
        "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03 ",
        "proc/driver/nvidia/gpus/0000:07:00.0/information": "Model: \t\t NVIDIA A40\n",
    }
    host = machine_with(tmp_path / "host", files)
    answer = seen(tmp_path / "gpu", state, timeout_s=0.2, host=host)
    assert answer["facts"]["hardware.gpu.driver"] == "535.129.03"
    assert answer["facts"]["hardware.gpu.models"] == ["NVIDIA A40"]
    assert "hardware.gpu.visible" in answer["unknown"]


def test_a_library_that_hangs_does_not_hang_the_capture(tmp_path: Path) -> None:
    answer = seen(tmp_path, nvml.HANGING, timeout_s=0.2)
    assert answer["unknown"]["hardware.gpu.visible"] == "NVML did not answer in time"


def test_a_library_that_cannot_be_loaded_is_unknown(tmp_path: Path) -> None:
    nvml.nvml_environ(tmp_path, nvml.ONE_H100)
    (tmp_path / "lib" / "libnvidia-ml.so.1").write_bytes(b"\x7fELF cut short")
    answer = seen(tmp_path, nvml.ONE_H100)
    assert answer["unknown"]["hardware.gpu.visible"] == "libnvidia-ml.so.1 cannot be loaded"


@pytest.mark.parametrize(
    ("vendor", "kind", "is_absent"),
    [
        ("0x10de", "0x030200", False),  # a GPU whose driver is not loaded
        ("0x10de", "0x040300", True),  # sound of the same maker
        ("0x1002", "0x030000", True),  # a GPU of another
    ],
)
def test_a_driver_that_is_not_loaded_is_missed_only_where_there_is_a_gpu(
    tmp_path: Path, vendor: str, kind: str, is_absent: bool
) -> None:
    card = "sys/bus/pci/devices/0000:01:00.0"
    files = {f"{card}/vendor": f"{vendor}\n", f"{card}/class": f"{kind}\n"}
    host = machine_with(tmp_path / "host", files)
    answer = seen(tmp_path / "gpu", nvml.NOT_LOADED, host=host)
    if is_absent:
        assert answer["facts"]["hardware.gpu.visible"] is None
        assert answer["facts"]["hardware.gpu.driver"] is None
    else:
        why = "the NVIDIA driver is not loaded"
        assert answer["unknown"]["hardware.gpu.visible"] == why
        assert answer["unknown"]["hardware.gpu.driver"] == why


def test_below_the_level_nothing_is_loaded(tmp_path: Path) -> None:
    answer = seen(tmp_path, nvml.HANGING, level=2, timeout_s=0.2)
    assert "hardware.gpu.visible" not in answer["facts"] | answer["unknown"]
    assert "pynvml" not in answer["loaded"] and "archspec" not in answer["loaded"]
