"""The container that the capture runs in, and its image as far as that can be known inside.

What runs a container (Docker here, Kubernetes there) does not change a result, so the kind does
not count; which image it is does. The digest is the image's identity. Where only a name with a
tag is known, that is `system.container.reference`, and counts in its place; where nothing is
known, this is no failure: a container cannot see its own image.
"""

import re
from typing import Final

from envstage.facets.contract import FactRule, Request
from envstage.snapshot.model import ABSENT, Address, Level, NotApplicable, Value
from envstage.snapshot.secrets import without_secrets
from envstage.world import World

KIND: Final = ("system", "container", "kind")
IMAGE: Final = ("system", "container", "image")
DIGEST: Final = ("system", "container", "digest")
REFERENCE: Final = ("system", "container", "reference")

FACTS: Final = (
    FactRule(
        "system.container.kind",
        Level.PLATFORM,
        "docker, podman, apptainer, kubernetes, lxc or another",
        counts=False,
    ),
    FactRule(
        "system.container.image", Level.PLATFORM, "the image's name, without digest", counts=False
    ),
    FactRule("system.container.digest", Level.PLATFORM, "the image's digest: sha256:…"),
    FactRule(
        "system.container.reference",
        Level.PLATFORM,
        "the image's name and tag, where no digest is known",
    ),
)

NOT_VISIBLE: Final = NotApplicable(
    "the image is not visible from inside; set `container: {image: name@sha256:…}`"
)

_CONTROL_GROUPS: Final = (
    ("kubernetes", re.compile(r"kubepods")),
    ("podman", re.compile(r"libpod-")),
    ("docker", re.compile(r"/docker[/-][0-9a-f]{12}")),
    ("lxc", re.compile(r"/lxc(?:/|\.payload)")),
    ("containerd", re.compile(r"/cri-containerd|/containerd/[0-9a-f]{12}")),
)
_ROOTS: Final = (
    ("containerd", "io.containerd.snapshotter"),
    ("podman", "/containers/storage/overlay"),
    ("docker", "/docker/overlay2/"),
)
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:+-]{0,255}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def collect(world: World, request: Request) -> dict[Address, Value]:
    """The facts of `system.container`; absent outside a container."""
    kind = kind_of(world)
    if kind is None:
        return {KIND: ABSENT, IMAGE: ABSENT, DIGEST: ABSENT}
    name, digest = _image(world, request, kind)
    facts: dict[Address, Value] = {
        KIND: kind,
        IMAGE: name or NOT_VISIBLE,
        DIGEST: digest or NOT_VISIBLE,
    }
    if name and not digest:
        facts[REFERENCE] = name
    return facts


def kind_of(world: World) -> str | None:
    """What runs this container, or `None` outside of one."""
    environ = world.environ
    if "APPTAINER_CONTAINER" in environ or "SINGULARITY_CONTAINER" in environ:
        return "apptainer"
    if world.exists("/.singularity.d"):
        return "apptainer"
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    if world.exists("/run/.containerenv"):
        return "podman"
    if world.exists("/.dockerenv"):
        return "docker"
    return _by_control_group(world) or _by_root_mount(world) or _by_system_manager(world)


def _by_control_group(world: World) -> str | None:
    text = _text(world, "/proc/1/cgroup") + _text(world, "/proc/self/cgroup")
    for kind, pattern in _CONTROL_GROUPS:
        if pattern.search(text):
            return kind
    return None


def _by_root_mount(world: World) -> str | None:
    """By where the root file system lies: under control groups v2 nothing else may tell."""
    for line in _text(world, "/proc/self/mountinfo").splitlines():
        fields = line.split(" ")
        if len(fields) > 4 and fields[4] == "/":
            for kind, mark in _ROOTS:
                if mark in line:
                    return kind
    return None


def _by_system_manager(world: World) -> str | None:
    """What systemd or the runtime left: `lxc`, `systemd-nspawn`, `wsl`, `oci`."""
    for word in (_text(world, "/run/systemd/container"), world.environ.get("container", "")):
        if _WORD.fullmatch(word.strip()):
            return word.strip()
    return None


def _image(world: World, request: Request, kind: str) -> tuple[str, str]:
    """Name and digest of the image: as configured, else as the runtime tells; "" if unknown."""
    if request.image:
        return parsed(request.image)
    if kind == "podman":
        # Only privileged containers are told; others find the file empty.
        told = dict(re.findall(r'(?m)^(\w+)="([^"\n]*)"$', _text(world, "/run/.containerenv")))
        name, digest = parsed(told.get("image", ""))
        own = "sha256:" + told.get("imageid", "")
        return name, digest or (own if _DIGEST.fullmatch(own) else "")
    if kind == "apptainer":
        path = world.environ.get("APPTAINER_CONTAINER") or world.environ.get(
            "SINGULARITY_CONTAINER", ""
        )
        return parsed(path.rstrip("/").rpartition("/")[2])
    return "", ""


def parsed(reference: str) -> tuple[str, str]:
    """Name with tag, and digest, of `docker://python:3.11@sha256:…`; "" for what is not there."""
    bare = re.sub(r"^[a-z-]+://", "", reference.strip())
    if _DIGEST.fullmatch(bare):
        return "", bare
    name, _, digest = bare.partition("@sha256:")
    digest = f"sha256:{digest}" if _DIGEST.fullmatch(f"sha256:{digest}") else ""
    name = without_secrets(name)
    return (name if _NAME.fullmatch(name) else ""), digest


def _text(world: World, path: str) -> str:
    try:
        return world.read(path, 64 * 1024).decode("utf-8", "replace")
    except OSError:
        return ""
