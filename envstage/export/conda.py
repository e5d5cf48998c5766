"""environment.yml: conda's packages as conda pins them, the others through pip."""

import json
from collections.abc import Iterator
from typing import Final

from envstage.export.artifacts import Artifacts
from envstage.export.conda_packages import CondaPin, conda_pins
from envstage.export.packages import Package, packages_of, python_version
from envstage.export.pins import extra_indexes, is_from_conda, remarks, requirement, why_not
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot

ID: Final = "conda"
NEEDS_ARTIFACTS: Final = False
_PUBLIC: Final = "conda-forge"


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The document. Of an environment that is not conda's: Python from conda, the rest from pip."""
    del artifacts
    pins = conda_pins(snapshot)
    packages = [each for each in packages_of(snapshot) if not is_from_conda(each)]
    head = [f"# {snapshot_fingerprint(snapshot)}", *_comments(snapshot, pins, packages)]
    body = [
        f"name: {_text(snapshot.environment)}",
        "channels:",
        *(f"  - {_text(each)}" for each in (*_channels(pins), "nodefaults")),
        "dependencies:",
        *(f"  - {_text(each.spec)}" for each in pins),
        *([] if pins else _python(snapshot)),
        *_through_pip(packages),
    ]
    return "\n".join([*head, *body]) + "\n"


def _comments(
    snapshot: Snapshot, pins: tuple[CondaPin, ...], packages: list[Package]
) -> Iterator[str]:
    if not pins:
        yield "# conda did not make this environment: only its interpreter is taken from there."
    for pin in pins:
        if not pin.build:
            yield f"# {pin.name}: its build is not recorded"
        if pin.channel == "local":
            yield f"# {pin.name}: from a channel of the captured machine; nobody else has it"
    for package in packages:
        if package.name == "pip":
            yield f"# pip: conda's own, {package.version or 'another version'} was captured"
        elif requirement(package) is None:
            yield f"# {package.name}: {why_not(package)}"
        else:
            yield from (f"# {package.name}: {each}" for each in remarks(package))
    if packages:
        yield "# pip's list is complete: create it with PIP_NO_DEPS=1, so that pip adds nothing."


def _channels(pins: tuple[CondaPin, ...]) -> tuple[str, ...]:
    """The channels, the one that gave most first; that order is conda's priority."""
    counts: dict[str, int] = {}
    for pin in pins:
        if pin.channel and pin.channel != "local":
            counts[pin.channel] = counts.get(pin.channel, 0) + 1
    found = sorted(counts, key=lambda channel: (-counts[channel], channel))
    return tuple(found) or (_PUBLIC,)


def _python(snapshot: Snapshot) -> Iterator[str]:
    version = python_version(snapshot)
    yield f"  - {_text(f'python={version}' if version else 'python')}"


def _through_pip(packages: list[Package]) -> list[str]:
    # The one that runs is conda's.
    others = [each for each in packages if each.name != "pip"]
    lines = [line for each in others if (line := requirement(each)) is not None]
    if not lines:
        return []
    indexes = [f"--extra-index-url {url}" for url in extra_indexes(tuple(packages))]
    return ['  - "pip"', '  - "pip":', *(f"      - {_text(line)}" for line in (*indexes, *lines))]


def _text(text: str) -> str:
    return json.dumps(text)
