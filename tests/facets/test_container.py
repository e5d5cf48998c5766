import json
from pathlib import Path

import pytest

from envstage.facets import container
from envstage.facets.catalogue import rule_of
from envstage.facets.container import DIGEST, IMAGE, KIND, REFERENCE, parsed
from envstage.snapshot.model import ABSENT, NotApplicable, Unknown
from tests.facets.requests import request
from tests.hosts import CapturedHost, host

DIGEST_OF = "sha256:" + "0123456789abcdef" * 4


def machine(folder: Path, files: dict[str, str], environ: dict[str, str]) -> CapturedHost:
    (folder / "host.json").write_text(json.dumps({"platform": "linux", "environ": environ}))
    for path, content in files.items():
        target = folder / "files" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    return CapturedHost(folder)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("debian-12", None),
        ("macos-14", None),
        ("windows-10", None),
        ("ubuntu-22.04-docker", "docker"),
        ("ubuntu-20.04-apptainer", "apptainer"),
        ("alpine-3.20", "containerd"),
        ("fedora-40-podman", "podman"),
        ("distroless-12-kubernetes", "kubernetes"),
    ],
)
def test_what_runs_the_container(name: str, kind: str | None) -> None:
    assert container.kind_of(host(name)) == kind


@pytest.mark.parametrize(
    ("files", "environ", "kind"),
    [
        ({"/proc/1/cgroup": "12:cpu:/docker/0123456789abcdef\n"}, {}, "docker"),
        ({"/proc/self/cgroup": "1:name=systemd:/kubepods/besteffort/pod1/ab\n"}, {}, "kubernetes"),
        ({"/proc/self/cgroup": "0::/machine.slice/libpod-0123.scope\n"}, {}, "podman"),
        ({"/proc/1/cgroup": "1:cpu:/lxc.payload.web\n"}, {}, "lxc"),
        ({"/run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
        ({}, {"container": "lxc"}, "lxc"),
        ({}, {"SINGULARITY_CONTAINER": "/a.sif"}, "apptainer"),
        # A host that serves containers is none.
        ({"/proc/self/cgroup": "0::/system.slice/docker.service\n"}, {}, None),
        ({"/proc/self/mountinfo": "9 1 0:3 / /var/lib/docker/overlay2/ab/merged rw\n"}, {}, None),
        ({}, {"container": "\x1b[31m"}, None),
    ],
)
def test_traces_of_containers(
    tmp_path: Path, files: dict[str, str], environ: dict[str, str], kind: str | None
) -> None:
    assert container.kind_of(machine(tmp_path, files, environ)) == kind


def test_outside_a_container_there_is_no_image_whatever_is_configured() -> None:
    facts = container.collect(host("debian-12"), request(image=f"python@{DIGEST_OF}"))
    assert facts == {KIND: ABSENT, IMAGE: ABSENT, DIGEST: ABSENT}


def test_a_configured_digest_counts_and_the_name_does_not() -> None:
    world = host("ubuntu-22.04-docker")
    facts = container.collect(world, request(image=f"docker://ghcr.io/o/p:1@{DIGEST_OF}"))
    assert facts == {KIND: "docker", IMAGE: "ghcr.io/o/p:1", DIGEST: DIGEST_OF}
    counts = {address: rule.counts for address in facts if (rule := rule_of(address))}
    assert counts == {KIND: False, IMAGE: False, DIGEST: True}


def test_a_configured_tag_counts_where_no_digest_is_known() -> None:
    facts = container.collect(host("ubuntu-22.04-docker"), request(image="python:3.11"))
    assert facts[REFERENCE] == "python:3.11"
    assert isinstance(facts[DIGEST], NotApplicable)
    rule = rule_of(REFERENCE)
    assert rule is not None and rule.counts


@pytest.mark.parametrize("name", ["ubuntu-22.04-docker", "distroless-12-kubernetes", "alpine-3.20"])
def test_an_image_that_cannot_be_seen_blocks_nobody(name: str) -> None:
    facts = container.collect(host(name), request())
    assert isinstance(facts[DIGEST], NotApplicable)
    assert not any(isinstance(value, Unknown) for value in facts.values())


def test_podman_tells_a_privileged_container() -> None:
    facts = container.collect(host("fedora-40-podman"), request())
    assert facts[IMAGE] == "registry.fedoraproject.org/fedora:40"
    assert facts[DIGEST] == "sha256:" + "ab" * 32


def test_apptainer_gives_the_files_name_and_not_its_folder() -> None:
    facts = container.collect(host("ubuntu-20.04-apptainer"), request())
    assert facts[IMAGE] == facts[REFERENCE] == "train_1.2.sif"
    assert "anna" not in str(facts)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("python:3.11", ("python:3.11", "")),
        (f"python@{DIGEST_OF}", ("python", DIGEST_OF)),
        (DIGEST_OF, ("", DIGEST_OF)),
        ("python@sha256:short", ("python", "")),
        ("oras://bob:ghp_abcdefgh@h.org/p:1", ("h.org/p:1", "")),
        ("$(id)", ("", "")),
        ("", ("", "")),
    ],
)
def test_references(reference: str, expected: tuple[str, str]) -> None:
    assert parsed(reference) == expected
