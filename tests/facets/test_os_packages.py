import pytest

from envstage.facets import os_packages
from envstage.facets.contract import Collected
from envstage.snapshot.model import Unknown, Value
from tests.facets.requests import request
from tests.hosts import host


def versions(collected: Collected) -> dict[str, Value]:
    return {address[2]: value for address, value in collected.facts.items()}


def test_dpkg_lists_what_is_installed_and_marks_the_other_architecture() -> None:
    collected = os_packages.collect(host("debian-12"), request())
    assert versions(collected) == {
        "adduser": "3.134",
        "libc6": "2.36-9+deb12u14",
        "libc6:i386": "2.36-9+deb12u14",
        "libstdc++6": "12.2.0-14+deb12u1",
        "python3.11": "3.11.2-6+deb12u6",
        "zlib1g": "1:1.2.13.dfsg-1",
    }
    assert collected.anomalies == ()


def test_distroless_images_have_one_file_a_package() -> None:
    collected = os_packages.collect(host("distroless-12-kubernetes"), request())
    assert versions(collected) == {"libc6": "2.36-9+deb12u9", "tzdata": "2024b-0+deb12u1"}


def test_apk() -> None:
    collected = os_packages.collect(host("alpine-3.20"), request())
    assert versions(collected) == {"musl": "1.2.5-r0", "python3": "3.12.6-r0"}


def test_rpm_is_started_only_for_a_view_that_includes_its_packages() -> None:
    world = host("fedora-40-podman")
    assert os_packages.collect(world, request()).facts == {}
    collected = os_packages.collect(world, request(include=("system.packages.glibc",)))
    assert versions(collected) == {
        "bash": "5.2.26-3.fc40",
        "glibc": "2.39-22.fc40",
        "glibc:i686": "2.39-22.fc40",
        "kernel-core": ("6.10.12-200.fc40", "6.10.7-200.fc40"),
        "shadow-utils": "2:4.15.1-4.fc40",
        "tzdata": "2024a-5.fc40",
    }


@pytest.mark.parametrize(
    ("include", "address"),
    [
        ("system.packages.*", ("system", "packages")),
        ("system.packages.glibc", ("system", "packages", "glibc")),
    ],
)
def test_an_rpm_that_hangs_leaves_what_was_asked_for_unknown(
    include: str, address: tuple[str, ...]
) -> None:
    collected = os_packages.collect(host("fedora-40-broken-rpm"), request(include=(include,)))
    assert collected.facts == {address: Unknown("OS packages: rpm: no answer within 20 s")}


def test_a_truncated_database_gives_what_it_has_and_says_so() -> None:
    collected = os_packages.collect(host("debian-12-truncated"), request())
    assert "libstdc++6" in versions(collected) and "python3.11" not in versions(collected)
    assert collected.anomalies == ("OS packages: 1 entries without a usable name and version",)


def test_a_denied_database_is_unknown_and_an_empty_one_is_empty() -> None:
    denied = os_packages.collect(host("debian-12-denied"), request())
    assert denied.facts == {("system", "packages"): Unknown("OS packages: dpkg: permission denied")}
    assert os_packages.collect(host("debian-12-empty"), request()) == Collected(facts={})


@pytest.mark.parametrize("name", ["macos-14", "windows-10", "linux-bare"])
def test_systems_without_such_packages(name: str) -> None:
    assert os_packages.collect(host(name), request()) == Collected(facts={})
