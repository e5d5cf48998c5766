"""A CycloneDX 1.6 bill of materials, as JSON: https://cyclonedx.org/docs/1.6/json/.

Through cyclonedx-python-lib, the extra `cyclonedx`. Neither time nor chance is in it: the serial
number follows from the fingerprint.
"""

import json
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from envstage.errors import EnvstageError
from envstage.export.artifacts import Artifacts
from envstage.export.conda_packages import conda_pins
from envstage.export.packages import Package, packages_of, python_version
from envstage.export.pins import is_from_conda, requirement, why_not
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

ID: Final = "cyclonedx"
NEEDS_ARTIFACTS: Final = False
_NAMESPACE: Final = uuid.UUID("6a1a4c52-7d0f-5a0e-8f0c-1d5f3a8f6b0e")


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The document.

    Raises:
        EnvstageError: cyclonedx-python-lib is not installed.
    """
    del artifacts
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise EnvstageError(
            "cyclonedx-python-lib is not installed",
            where="cyclonedx",
            fix="pip install 'envstage[cyclonedx]'",
        ) from None
    fingerprint = snapshot_fingerprint(snapshot)
    bom = Bom(
        serial_number=uuid.uuid5(_NAMESPACE, fingerprint),
        components=[*_interpreter(snapshot), *_packages(snapshot), *_conda(snapshot)],
        properties=_properties({"fingerprint": fingerprint, "level": snapshot.level.word}),
    )
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    # The moment of the export is no property of the environment.
    document.get("metadata", {}).pop("timestamp", None)
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _interpreter(snapshot: Snapshot) -> "Iterator[Component]":
    version = python_version(snapshot)
    if version is not None:
        yield _component("python", "python", version, "generic", {})


def _packages(snapshot: Snapshot) -> "Iterator[Component]":
    for package in packages_of(snapshot):
        if is_from_conda(package):
            continue
        properties = {"build": package.build, "url": package.url, "commit": package.commit}
        if requirement(package) is None:
            properties["remark"] = why_not(package)
        yield _of_package(package, {key: text for key, text in properties.items() if text})


def _of_package(package: Package, properties: dict[str, str]) -> "Component":
    version = package.version or ""
    return _component(f"pypi-{package.name}", package.name, version, "pypi", properties)


def _conda(snapshot: Snapshot) -> "Iterator[Component]":
    for pin in conda_pins(snapshot):
        properties = {"build": pin.build, "channel": pin.channel, "md5": pin.md5}
        known = {key: text for key, text in properties.items() if text}
        yield _component(f"conda-{pin.name}", pin.name, pin.version, "conda", known)


def _component(
    reference: str, name: str, version: str, kind: str, properties: dict[str, str]
) -> "Component":
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    is_interpreter = kind == "generic"
    return Component(
        name=name,
        version=version or None,
        type=ComponentType.PLATFORM if is_interpreter else ComponentType.LIBRARY,
        bom_ref=reference,
        purl=PackageURL(type=kind, name=name, version=version or None),
        properties=_properties(properties),
    )


def _properties(texts: dict[str, str]) -> list[Any]:
    from cyclonedx.model import Property

    return [Property(name=f"envstage:{key}", value=text) for key, text in sorted(texts.items())]
