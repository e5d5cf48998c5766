"""A Dockerfile that builds the environment: two stages, the second without build tools.

It needs nothing but itself: the list of packages stands in it. BuildKit reads it.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from envstage.export.artifacts import Artifacts
from envstage.export.base_image import Base, base_image
from envstage.export.packages import packages_of, python_version
from envstage.export.pins import is_from_conda, requirement
from envstage.export.requirements import render as requirements
from envstage.facets.numerics import LIBRARY_PATHS, MODULE_PATHS
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot
from envstage.snapshot.words import printable, value_text

ID: Final = "dockerfile"
NEEDS_ARTIFACTS: Final = False
LABEL: Final = "io.envstage.fingerprint"

_UV: Final = "ghcr.io/astral-sh/uv:0.9"
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~_-]*")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The linter's names for "no version is pinned".
_UNPINNED: Final = {"apt": "DL3008", "apk": "DL3018", "dnf": "DL3041"}
_LIST: Final = "/tmp/requirements.txt"
_MACHINE: Final = (
    ("GPU driver", ("hardware", "gpu", "driver")),
    ("GPUs", ("hardware", "gpu", "visible")),
    ("CPU", ("hardware", "cpu", "microarchitecture")),
)
# Recorded as digests or entries of the captured machine: no value to set.
_PATHS: Final = frozenset(each.name for each in (*MODULE_PATHS, *LIBRARY_PATHS))


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The Dockerfile; what it cannot bring back is a comment at its beginning."""
    base = base_image(snapshot)
    listed = requirements(snapshot, artifacts)
    # Quoted: nothing is expanded. The mark stands in no line of the list.
    mark = "REQUIREMENTS"
    lines = [
        "# syntax=docker/dockerfile:1",
        *(f"# {remark}" for remark in (*base.remarks, *_remarks(snapshot))),
        f"FROM {base.reference} AS build",
        f"COPY --from={_UV} /uv /usr/local/bin/uv",
        *(_git(base) if any(each.is_repository for each in packages_of(snapshot)) else []),
        *_interpreter(snapshot, base),
        f"COPY <<'{mark}' {_LIST}",
        *listed.rstrip("\n").split("\n"),
        mark,
        "",
        "RUN uv pip install --python /opt/env/bin/python --no-deps --no-cache \\",
        f"    --index-strategy unsafe-best-match -r {_LIST}",
        "",
        f"FROM {base.reference}",
        *_os_packages(snapshot, base),
        *([] if base.has_python else ["COPY --from=build /opt/python /opt/python"]),
        "COPY --from=build /opt/env /opt/env",
        'ENV PATH="/opt/env/bin:$PATH"',
        *_variables(snapshot),
        f"LABEL {LABEL}={json.dumps(snapshot_fingerprint(snapshot))}",
        'CMD ["python"]',
    ]
    return "\n".join(lines) + "\n"


def _remarks(snapshot: Snapshot) -> Iterator[str]:
    facts = snapshot.facts
    for name, key in _MACHINE:
        value = facts.get(key)
        if value:
            yield f"{name} of the captured machine, no image brings it: {value_text(value)}"
    for package in packages_of(snapshot):
        if is_from_conda(package):
            yield f"{package.name}: conda's build; the one of the index is taken instead"
        elif requirement(package) is None:
            yield f"{package.name}: not installed here; the list below says why"
    for address in sorted(facts):
        if address[0] == "variables" and not _is_settable(snapshot, address[1]):
            yield f"variable {printable(address[1])}: its value is not one to set here"


def _interpreter(snapshot: Snapshot, base: Base) -> list[str]:
    python = "python3"
    lines = []
    if not base.has_python:
        python = python_version(snapshot) or "3"
        # In a folder that the second stage can copy, at the same path.
        lines.append("ENV UV_PYTHON_INSTALL_DIR=/opt/python")
    return [*lines, f"RUN uv venv --python {python} /opt/env"]


def _git(base: Base) -> list[str]:
    # Whichever git there is: it clones, and does not stay.
    ignored = f"# hadolint ignore={_UNPINNED.get(base.manager, '')}"
    return [ignored, _install(base, ["git"])] if base.manager else []


def _os_packages(snapshot: Snapshot, base: Base) -> list[str]:
    found = {
        address[2]: str(value)
        for address, value in snapshot.facts.items()
        if address[:2] == ("system", "packages") and len(address) == 3 and isinstance(value, str)
    }
    pins = [
        f"{name}={version}"
        for name, version in sorted(found.items())
        if _WORD.fullmatch(name) and _WORD.fullmatch(version)
    ]
    if not pins or not base.manager:
        return []
    remark = "# Mirrors keep the newest version only; older ones: snapshot archives of the release."
    return [remark, _install(base, pins)]


def _install(base: Base, words: list[str]) -> str:
    if base.manager == "apk":
        return "RUN apk add --no-cache " + " ".join(words)
    if base.manager == "dnf":
        words = [word.replace("=", "-", 1) for word in words]
        return "RUN dnf install -y " + " ".join(words) + " && dnf clean all"
    return (
        "RUN apt-get update && apt-get install -y --no-install-recommends \\\n    "
        + " ".join(words)
        + " \\\n    && rm -rf /var/lib/apt/lists/*"
    )


def _variables(snapshot: Snapshot) -> Iterator[str]:
    for address, value in sorted(snapshot.facts.items()):
        if address[0] == "variables" and _is_settable(snapshot, address[1]):
            text = re.sub(r'([\\"$])', r"\\\1", str(value))
            yield f'ENV {address[1]}="{text}"'


def _is_settable(snapshot: Snapshot, name: str) -> bool:
    value = snapshot.facts.get(("variables", name))
    is_plain = isinstance(value, str) and value.isprintable()
    return is_plain and name not in _PATHS and _VARIABLE.fullmatch(name) is not None
