"""The processor, from the files and commands of captured machines."""

import os
from pathlib import Path

import archspec
import pytest

from envstage.facets import cpu
from envstage.facets.contract import Request
from envstage.snapshot.model import Address, Level, Unknown, Value
from envstage.world import World
from tests.hosts import CapturedHost, host

CAPTURED = Path(archspec.__file__).parent / "json" / "tests" / "targets"
REQUEST = Request(root="/project", level=Level.HARDWARE)


def fact(world: World, *name: str) -> Value:
    address: Address = ("hardware", *name)
    return cpu.collect(world, REQUEST)[address]


@pytest.mark.hard_case(18)
@pytest.mark.parametrize(
    ("name", "vendor", "microarchitecture", "count"),
    [
        ("linux-haswell-cgroup2", "GenuineIntel", "haswell", 24),
        ("linux-skylake-avx512-cgroup1", "GenuineIntel", "skylake_avx512", 56),
        ("linux-zen3-smt", "AuthenticAMD", "zen3", 8),
        ("linux-neoverse-v1", "ARM", "neoverse_v1", 4),
        ("darwin-m3", "Apple", "m3", 14),
        ("darwin-skylake", "GenuineIntel", "skylake", 8),
    ],
)
def test_processor(name: str, vendor: str, microarchitecture: str, count: int) -> None:
    assert fact(host(name), "cpu", "vendor") == vendor
    assert fact(host(name), "cpu", "microarchitecture") == microarchitecture
    assert fact(host(name), "cpu", "count") == count


def test_context() -> None:
    assert fact(host("linux-zen3-smt"), "cpu", "model") == "AMD Ryzen 9 5950X 16-Core Processor"
    assert fact(host("linux-neoverse-v1"), "cpu", "model") is None
    assert fact(host("linux-zen3-smt"), "memory_bytes") == 65769116 * 1024
    assert fact(host("darwin-m3"), "cpu", "model") == "Apple M3 Max"
    assert fact(host("darwin-m3"), "memory_bytes") == 38654705664


def test_sysctl_that_hangs_is_unknown() -> None:
    expected = Unknown("sysctl did not answer in time")
    for name in (("cpu", "vendor"), ("cpu", "microarchitecture"), ("memory_bytes",)):
        assert fact(host("darwin-sysctl-hangs"), *name) == expected


def machine_with(folder: Path, cpuinfo: bytes, architecture: str) -> CapturedHost:
    (folder / "files" / "proc").mkdir(parents=True)
    (folder / "files" / "proc" / "cpuinfo").write_bytes(cpuinfo)
    (folder / "host.json").write_text(f'{{"platform": "linux", "machine": "{architecture}"}}')
    return CapturedHost(folder)


def _architecture(text: str) -> str:
    if "CPU implementer" in text:
        return "aarch64"
    if "POWER" in text:
        return "ppc64le" if "le" in text else "ppc64"
    return "x86_64"


# What archspec's own tests serve its own detection: file name, answer.
LINUX = {
    path: path.name.split("-", 2)[2]
    for path in sorted(CAPTURED.glob("linux-*"))
    if path.name.split("-", 2)[2] not in ("x60", "u74mc") and "power" not in path.name
}


@pytest.mark.parametrize("path", LINUX, ids=lambda path: str(path.name))
def test_the_answer_is_archspecs(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes().rstrip(b"\n") + b"\n"
    world = machine_with(tmp_path, content, _architecture(content.decode()))
    assert fact(world, "cpu", "microarchitecture") == LINUX[path]


@pytest.mark.skipif(not LINUX, reason="this archspec comes without its tests")
def test_archspecs_processors_are_many() -> None:
    assert len(LINUX) > 20


@pytest.mark.parametrize(
    ("architecture", "cpuinfo", "expected"),
    [
        ("ppc64le", b"processor\t: 0\ncpu\t\t: POWER9, altivec supported\n", "power9le"),
        ("riscv64", b"processor\t: 0\nisa\t\t: rv64imafdc\n", "riscv64"),
        ("loongarch64", b"processor\t: 0\n", "loongarch64"),
    ],
)
def test_other_architectures(
    tmp_path: Path, architecture: str, cpuinfo: bytes, expected: str
) -> None:
    world = machine_with(tmp_path, cpuinfo, architecture)
    assert fact(world, "cpu", "microarchitecture") == expected


def test_the_names_of_the_features_may_come_in_any_order(tmp_path: Path) -> None:
    text = host("linux-zen3-smt").read("/proc/cpuinfo").decode()
    lines = [
        "flags\t\t: " + " ".join(sorted(line.partition(":")[2].split()))
        if line.startswith("flags")
        else line
        for line in reversed(text.rstrip("\n").split("\n"))
    ]
    world = machine_with(tmp_path, "\n".join([*lines, ""]).encode(), "x86_64")
    assert fact(world, "cpu", "microarchitecture") == "zen3"


def test_windows_tells_only_the_processor_it_runs_on(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"platform": "win32", "machine": "AMD64"}')
    answer = fact(CapturedHost(tmp_path), "cpu", "microarchitecture")
    if os.name == "nt":
        assert isinstance(answer, str)
    else:
        assert answer == Unknown("the processor is not looked at on win32")


def test_numbers_of() -> None:
    assert cpu.numbers_of("0-3,8\n") == (0, 1, 2, 3, 8)
    assert cpu.numbers_of("") == ()
