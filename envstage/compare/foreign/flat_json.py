"""The flat environment.json of training notebooks: one object, packages as name → version.

`python_version_short`, `cuda_version`, `gpu_name`, `platform`, and what other notebooks call the
same things.
"""

import re
from typing import Any, Final

from envstage.compare.foreign.interface import (
    UNLISTED,
    Document,
    Foreign,
    architecture_fact,
    package_facts,
    unreadable,
)
from envstage.compare.sides import Coverage
from envstage.snapshot.canonical import parsed
from envstage.snapshot.model import Address, Value

FORMAT: Final = "notebook environment"
_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)?[A-Za-z0-9.+]*")
_LIBC: Final = re.compile(r"with-(glibc|musl)-?(\d+(?:\.\d+)+)")
_OS: Final = {"linux": "linux", "darwin": "darwin", "macos": "darwin", "windows": "windows"}
_MACHINE: Final = re.compile(r"-(x86_64|amd64|AMD64|aarch64|arm64|ppc64le)(?:-|$)")


def recognises(document: Document) -> bool:
    """A JSON object with a `packages` object and no envelope of ours."""
    if document.data.lstrip()[:1] != b"{" or b'"packages"' not in document.data:
        return False
    try:
        found = parsed(document.data)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("packages"), dict)


def read(document: Document) -> Foreign:
    """Its packages, interpreter, CUDA and GPU."""
    found: dict[str, Any] = parsed(document.data)
    versions = {
        name: value for name, value in found["packages"].items() if value and isinstance(value, str)
    }
    if not versions and found["packages"]:
        raise unreadable(document.where, "its packages have no versions")
    facts: dict[Address, Value] = {**package_facts(versions), **_python(found)}
    facts |= system_facts(str(found.get("platform", "")))
    if gpu := found.get("gpu_name"):
        facts["hardware", "gpu", "models"] = (str(gpu),)
    if cuda := found.get("cuda_version"):
        # What torch.version.cuda says: the version that PyTorch was compiled for.
        facts["hardware", "cuda", "compiled", "torch"] = str(cuda)
    return Foreign(
        format=FORMAT,
        facts=facts,
        coverage=Coverage(complete=frozenset({"packages"}), unlisted=UNLISTED),
    )


def _python(found: dict[str, Any]) -> dict[Address, Value]:
    for key in ("python_version_short", "python_version", "python"):
        match = _VERSION.match(str(found.get(key, "")))
        if match:
            return {("python", "version"): match[0]}
    return {}


def system_facts(text: str) -> dict[Address, Value]:
    """What `platform.platform()` says: `Linux-5.15.0-gcp-x86_64-with-glibc2.35`."""
    facts: dict[Address, Value] = {}
    if (family := _OS.get(text.partition("-")[0].lower())) is not None:
        facts["system", "os"] = family
    if machine := _MACHINE.search(text):
        facts |= architecture_fact(machine[1])
    if libc := _LIBC.search(text):
        facts["system", "libc"] = f"{libc[1]} {libc[2]}"
    return facts
