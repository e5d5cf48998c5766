"""requirements.txt: exact pins for pip and uv, and comments where a pin cannot say it all."""

import re
from collections.abc import Iterator
from typing import Any, Final

from envstage.facets.origin import OWN
from envstage.snapshot.model import Snapshot
from envstage.snapshot.words import printable

# What pip accepts as a version in a pin; anything else could smuggle an option in (case 26).
_VERSION: Final = re.compile(r"[A-Za-z0-9.!+_-]+")
_PYTORCH: Final = re.compile(r"\+(cu\d+|cpu|rocm[\d.]+|xpu)\Z")
_PYTORCH_FAMILY: Final = frozenset({"torch", "torchvision", "torchaudio", "triton"})


def requirements(snapshot: Snapshot) -> str:
    """The packages of a snapshot, one a line, in the order of their names.

    Install them with `pip install --no-deps -r requirements.txt`: the list is complete, and
    resolving again could only change it.
    """
    packages = packages_of(snapshot)
    version = snapshot.facts.get(("python", "version"))
    head = [f"# Python {value_or(version)}, written by envstage. Install with: --no-deps"]
    head += [f"--extra-index-url {url}" for url in extra_indexes(packages)]
    body = [line for name, package in sorted(packages.items()) for line in _lines(name, package)]
    return "\n".join([*head, *body]) + "\n"


def packages_of(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """The facts of each package, by PEP 503 name."""
    packages: dict[str, dict[str, Any]] = {}
    for address, value in snapshot.facts.items():
        if address[0] == "packages" and len(address) == 3:
            packages.setdefault(address[1], {})[address[2]] = value
    packages.pop("*", None)
    return packages


def extra_indexes(packages: dict[str, dict[str, Any]]) -> list[str]:
    """The PyTorch indexes that builds such as `2.7.1+cu128` come from (case 7)."""
    found = set()
    for name, package in packages.items():
        match = _PYTORCH.search(str(package.get("version", "")))
        if match and name in _PYTORCH_FAMILY:
            found.add(f"https://download.pytorch.org/whl/{match[1]}")
    return sorted(found)


def value_or(value: object, other: str = "unknown") -> str:
    """A text fact, or what to say in its place."""
    return printable(value) if isinstance(value, str) else other


def _lines(name: str, package: dict[str, Any]) -> Iterator[str]:
    version = package.get("version")
    if package.get("note") == OWN:
        yield f"# {name}: the project itself, editable: pip install -e {package.get('editable')}"
        return
    if "editable" in package:
        yield f"# {name}=={value_or(version)}: an editable checkout {package['editable']}"
        return
    note = package.get("note")
    if note:
        yield f"# {name}: {printable(str(note))}"
    if str(package.get("build", "")).startswith("source-"):
        yield f"# {name}: compiled on the machine that was captured; any index has another build"
    yield _pin(name, version, package)


def _pin(name: str, version: object, package: dict[str, Any]) -> str:
    url, commit = package.get("url"), package.get("commit")
    if isinstance(url, str) and url.startswith(("git+", "https:", "http:")):
        reference = f"{name} @ {printable(url)}" + (f"@{commit}" if commit else "")
        source = str(package.get("source", ""))
        fragments = []
        if not commit and source.startswith("sha256:"):
            fragments.append(source.replace(":", "=", 1))
        if package.get("subdirectory"):
            fragments.append(f"subdirectory={printable(str(package['subdirectory']))}")
        return reference + ("#" + "&".join(fragments) if fragments else "")
    if isinstance(version, str) and _VERSION.fullmatch(version):
        return f"{name}=={version}"
    return f"# {name}: its version cannot be pinned"
