import pytest

from envstage.facets import system
from envstage.facets.catalogue import rule_of
from envstage.facets.system import os_release
from envstage.snapshot.model import ABSENT, Address, Level, NotApplicable, Unknown, Value
from tests.facets.requests import probe, request
from tests.hosts import CapturedHost, host

HOSTS = (
    "debian-12 ubuntu-22.04-docker ubuntu-20.04-apptainer alpine-3.20 fedora-40-podman "
    "fedora-40-broken-rpm distroless-12-kubernetes macos-14 windows-10 linux-bare arch "
    "debian-12-truncated debian-12-empty debian-12-denied"
)


def look(world: CapturedHost, *path: str) -> Value:
    address = ("system", *path)
    return system.collect(world, request()).facts[address]


@pytest.mark.hard_case(43)
@pytest.mark.parametrize(
    ("name", "family", "distribution", "architecture"),
    [
        ("debian-12", "linux", "debian 12", "x86_64"),
        ("ubuntu-22.04-docker", "linux", "ubuntu 22.04", "x86_64"),
        ("ubuntu-20.04-apptainer", "linux", "ubuntu 20.04", "x86_64"),
        ("alpine-3.20", "linux", "alpine 3.20.3", "x86_64"),
        ("fedora-40-podman", "linux", "fedora 40", "aarch64"),
        ("distroless-12-kubernetes", "linux", "debian 12", "x86_64"),
        ("arch", "linux", "arch", "x86_64"),
        ("macos-14", "darwin", "macos 14.4.1", "aarch64"),
        ("windows-10", "windows", "windows 10.0.19045", "x86_64"),
        ("linux-bare", "linux", ABSENT, "x86_64"),
    ],
)
def test_family_release_and_architecture(
    name: str, family: str, distribution: Value, architecture: str
) -> None:
    world = host(name)
    assert look(world, "os") == family
    assert look(world, "distribution") == distribution
    assert look(world, "architecture") == architecture


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("debian-12-truncated", "VERSION_ID in /etc/os-release is cut off or malformed"),
        ("debian-12-empty", "/etc/os-release has no ID"),
        ("debian-12-denied", "cannot read /etc/os-release: permission denied"),
    ],
)
def test_a_broken_os_release_is_unknown_and_not_absent(name: str, why: str) -> None:
    assert look(host(name), "distribution") == Unknown(why)


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("debian-12", "glibc 2.36"),
        ("ubuntu-22.04-docker", "glibc 2.35"),
        ("ubuntu-20.04-apptainer", "glibc 2.31"),
        ("fedora-40-podman", "glibc 2.39"),
        ("arch", "glibc 2.40"),
    ],
)
def test_the_c_library_without_a_probe(name: str, library: str) -> None:
    assert look(host(name), "libc") == library


@pytest.mark.parametrize(
    ("name", "executable", "library"),
    [
        # Both machines have both libraries: the interpreter's loader decides.
        ("debian-12", "/usr/bin/python3.11", "glibc 2.36"),
        ("alpine-3.20", "/usr/bin/python3.12", "musl 1.2.3"),
    ],
)
def test_the_c_library_is_the_interpreters(name: str, executable: str, library: str) -> None:
    asked = request(probe=probe(executable))
    assert system.collect(host(name), asked).facts["system", "libc"] == library


def test_a_c_library_that_cannot_be_read_is_unknown() -> None:
    denied = look(host("debian-12-denied"), "libc")
    assert isinstance(denied, Unknown) and denied.why.endswith("permission denied")
    for name in ("debian-12-truncated", "debian-12-empty", "linux-bare"):
        assert isinstance(look(host(name), "libc"), Unknown), name
    assert isinstance(look(host("macos-14"), "libc"), NotApplicable)


def test_the_kernel_is_recorded_and_counts_nowhere() -> None:
    assert look(host("debian-12"), "kernel") == "6.1.0-28-amd64"
    assert look(host("windows-10"), "kernel") == "10.0.19045"
    rule = rule_of(("system", "kernel"))
    assert rule is not None and rule.level is None


@pytest.mark.hard_case(19)
def test_another_kernel_changes_nothing_that_counts() -> None:
    def counting(world: CapturedHost) -> dict[Address, Value]:
        facts = system.collect(world, request()).facts
        rules = {address: rule_of(address) for address in facts}
        return {
            address: value
            for address, value in facts.items()
            if (rule := rules[address]) is not None and rule.counts and rule.level is not None
        }

    now = counting(host("debian-12"))
    assert ("system", "libc") in now
    assert now == counting(host("debian-12", kernel="6.1.0-29-amd64"))


@pytest.mark.parametrize("name", HOSTS.split())
def test_every_fact_has_a_rule_and_every_capture_the_same_bytes(name: str) -> None:
    world = host(name)
    asked = request(include=("system.packages.*",))
    first, second = system.collect(world, asked), system.collect(world, asked)
    assert first == second
    for address in first.facts:
        assert rule_of(address) is not None, address
    assert ("system", "os") in first.facts


def test_the_levels() -> None:
    platform = {rule.pattern for rule in system.FACTS if rule.level is Level.PLATFORM}
    assert {"system.os", "system.distribution", "system.architecture", "system.libc"} <= platform


def test_os_release_follows_the_shells_quoting() -> None:
    text = '# comment\nA="a \\"b\\" \\$c"\nB=\'d\'\nC=e\n  D=f\nE="open\nF="\nno assignment\n'
    assert os_release(text) == {
        "A": 'a "b" $c',
        "B": "d",
        "C": "e",
        "D": "f",
        "E": None,
        "F": None,
    }


def test_a_hostile_os_release_is_not_passed_on() -> None:
    hostile = "ID=debian\x1b[31m\nVERSION_ID=$(id)\n"
    assert "\x1b" in str(os_release(hostile)["ID"])
    named = system._named(os_release(hostile), "/etc/os-release")
    assert named == Unknown("ID in /etc/os-release is cut off or malformed")
