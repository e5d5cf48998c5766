"""The facet as a whole: its contract, determinism, and machines that refuse to tell."""

import pytest

from envstage.facets import hardware
from envstage.facets.catalogue import rule_of
from envstage.facets.contract import Request
from envstage.snapshot.model import Level, Unknown, Value
from tests.hosts import HOSTS, CapturedHost, host

OWN = (
    "linux-haswell-cgroup2",
    "linux-skylake-avx512-cgroup1",
    "linux-zen3-smt",
    "linux-neoverse-v1",
    "linux-cut-short",
    "linux-denied-proc",
    "darwin-m3",
    "darwin-skylake",
    "darwin-sysctl-hangs",
)


def request(level: Level = Level.HARDWARE, include: tuple[str, ...] = ()) -> Request:
    return Request(root="/project", level=level, include=include)


def facts(name: str, level: Level = Level.HARDWARE, **environ: str) -> dict[str, Value]:
    world = CapturedHost(HOSTS / name, environ=environ)
    collected = hardware.collect(world, request(level)).facts
    return {".".join(address): value for address, value in collected.items()}


@pytest.mark.parametrize("name", OWN)
def test_every_fact_has_a_rule_and_two_collects_are_equal(name: str) -> None:
    first = hardware.collect(host(name), request())
    assert first == hardware.collect(host(name), request())
    assert first.facts
    for address in first.facts:
        assert rule_of(address) in hardware.FACTS, address


@pytest.mark.parametrize("name", OWN)
def test_nothing_of_the_hardware_level_is_given_below_it(name: str) -> None:
    collected = hardware.collect(host(name), request(Level.PLATFORM))
    for address in collected.facts:
        rule = rule_of(address)
        assert rule is not None
        assert rule.level is not Level.HARDWARE, address


def test_a_fact_included_by_name_is_given_below_its_level() -> None:
    wanted = request(Level.SOFTWARE, ("hardware.cpu.microarchitecture",))
    collected = hardware.collect(host("linux-zen3-smt"), wanted)
    assert collected.facts["hardware", "cpu", "microarchitecture"] == "zen3"
    assert ("hardware", "gpu", "models") not in collected.facts


def test_only_facts_that_change_a_result_count() -> None:
    counting = {rule.pattern for rule in hardware.FACTS if rule.counts and rule.level}
    assert counting == {
        "hardware.cpu.vendor",
        "hardware.cpu.microarchitecture",
        "hardware.threads.omp",
        "hardware.threads.mkl",
        "hardware.threads.openblas",
        "hardware.threads.veclib",
        "hardware.gpu.models",
        "hardware.gpu.visible",
        "hardware.gpu.driver",
        "hardware.gpu.cuda_driver",
        "hardware.cuda.system.cuda",
        "hardware.cuda.system.cudnn",
    }
    levels = {rule.pattern: rule.level for rule in hardware.FACTS}
    assert levels["hardware.gpu.driver"] is Level.HARDWARE
    assert levels["hardware.cuda.system.cudnn"] is Level.PLATFORM


def test_a_machine_that_denies_is_unknown_with_the_reason() -> None:
    denied = facts("linux-denied-proc")
    expected = Unknown("cannot read /proc/cpuinfo: permission denied")
    assert denied["hardware.cpu.vendor"] == expected
    assert denied["hardware.cpu.microarchitecture"] == expected
    assert denied["hardware.cpu.model"] == expected
    assert denied["hardware.memory_bytes"] == Unknown(
        "cannot read /proc/meminfo: permission denied"
    )
    assert denied["hardware.threads.default"] == Unknown(
        "cannot read the cgroup's quota: permission denied"
    )
    assert denied["hardware.threads.omp"] == 2


def test_files_that_are_cut_short_are_unknown_rather_than_a_lesser_machine() -> None:
    cut = facts("linux-cut-short")
    assert cut["hardware.cpu.vendor"] == "GenuineIntel"
    assert cut["hardware.cpu.microarchitecture"] == Unknown(
        "/proc/cpuinfo does not list the processor's features"
    )
    assert cut["hardware.memory_bytes"] == Unknown("/proc/meminfo does not say MemTotal")
    assert cut["hardware.threads.default"] == 2
    assert cut["hardware.threads.mkl"] == 2
