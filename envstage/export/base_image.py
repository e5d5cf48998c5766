"""Which image a container of an environment begins with."""

import re
from typing import Final

import msgspec

from envstage.export.packages import python_version
from envstage.snapshot.model import Snapshot

_REFERENCE: Final = re.compile(r"[a-z0-9][a-z0-9._/:-]*")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_RELEASE: Final = re.compile(r"([a-z][a-z0-9_-]*) ([0-9][0-9.]*)")
# Releases that the official Python images have, by what /etc/os-release says.
_DEBIAN: Final = {"10": "buster", "11": "bullseye", "12": "bookworm", "13": "trixie"}
_MANAGERS: Final = {
    "debian": "apt",
    "ubuntu": "apt",
    "alpine": "apk",
    "fedora": "dnf",
    "rhel": "dnf",
    "rocky": "dnf",
    "almalinux": "dnf",
    "centos": "dnf",
}
_CUDA_RELEASES: Final = {"ubuntu": "ubuntu", "rocky": "rockylinux", "rhel": "ubi"}


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """An image.

    Attributes:
        reference: what stands after FROM.
        has_python: whether its python3 is the environment's version.
        manager: `apt`, `apk`, `dnf`, or empty where nobody knows.
        remarks: what is not as it was; one printable line each.
    """

    reference: str
    has_python: bool = False
    manager: str = ""
    remarks: tuple[str, ...] = ()


def base_image(snapshot: Snapshot) -> Base:
    """The image of the captured container by digest, else the nearest official one."""
    facts = snapshot.facts
    image, digest = (facts.get(("system", "container", key)) for key in ("image", "digest"))
    name, release = _distribution(snapshot)
    manager = _MANAGERS.get(name, "")
    if isinstance(image, str) and _REFERENCE.fullmatch(image):
        if isinstance(digest, str) and _DIGEST.fullmatch(digest):
            return Base(reference=f"{image}@{digest}", manager=manager)
        reference = facts.get(("system", "container", "reference"))
        if isinstance(reference, str) and _REFERENCE.fullmatch(reference):
            remark = "The image is pinned by its tag only: its digest was not known."
            return Base(reference=reference, manager=manager, remarks=(remark,))
    unpinned = "The base image is named by its tag: pin it by digest once you have pulled it."
    cuda = facts.get(("hardware", "cuda", "system", "cuda"))
    if isinstance(cuda, str) and name in _CUDA_RELEASES and re.fullmatch(r"\d+\.\d+\.\d+", cuda):
        reference = f"nvidia/cuda:{cuda}-runtime-{_CUDA_RELEASES[name]}{release}"
        return Base(reference=reference, manager=manager, remarks=(unpinned,))
    return _official(snapshot, name, release, unpinned)


def _official(snapshot: Snapshot, name: str, release: str, unpinned: str) -> Base:
    version = python_version(snapshot) or "3"
    if name == "debian" and release in _DEBIAN:
        reference = f"python:{version}-slim-{_DEBIAN[release]}"
        return Base(reference=reference, has_python=True, manager="apt", remarks=(unpinned,))
    if name == "alpine":
        minor = ".".join(release.split(".")[:2])
        reference = f"python:{version}-alpine{minor}"
        return Base(reference=reference, has_python=True, manager="apk", remarks=(unpinned,))
    if name in _MANAGERS:
        reference = f"{'rockylinux' if name in ('rocky', 'rhel') else name}:{release}"
        return Base(reference=reference, manager=_MANAGERS[name], remarks=(unpinned,))
    known = f"{name} {release}" if name else "unknown"
    return Base(
        reference=f"python:{version}-slim",
        has_python=True,
        manager="apt",
        remarks=(unpinned, f"The captured machine's system is not Debian's: {known}"),
    )


def _distribution(snapshot: Snapshot) -> tuple[str, str]:
    value = snapshot.facts.get(("system", "distribution"))
    match = _RELEASE.fullmatch(value) if isinstance(value, str) else None
    return (match[1], match[2]) if match else ("", "")
