"""`conda list --explicit`: the URL of every archive of a conda environment, with its md5."""

import re
from typing import Final

from envstage.compare.foreign.interface import (
    Document,
    Foreign,
    architecture_fact,
    unreadable,
)
from envstage.compare.sides import Coverage
from envstage.facets.conda import channel
from envstage.snapshot.model import Address, Value

FORMAT: Final = "conda explicit list"
_MARK: Final = "@EXPLICIT"
# …/linux-64/numpy-1.26.4-py311h64a7726_0.conda#md5
_ARCHIVE: Final = re.compile(
    r"(?P<base>\S+)/(?P<subdir>[a-z0-9-]+)/"
    r"(?P<name>[A-Za-z0-9._-]+)-(?P<version>[^-/\s]+)-(?P<build>[^-/\s]+)(?:\.tar\.bz2|\.conda)"
    r"(?:#(?P<md5>[0-9a-fA-F]{32}))?"
)
_MACHINES: Final = {"64": "x86_64", "aarch64": "aarch64", "arm64": "arm64", "ppc64le": "ppc64le"}
_FAMILIES: Final = {"linux": "linux", "osx": "darwin", "win": "windows"}


def recognises(document: Document) -> bool:
    """A line `@EXPLICIT`."""
    return any(line.strip() == _MARK for line in document.text.splitlines()[:50])


def read(document: Document) -> Foreign:
    """Its packages: name, version, build, channel, md5."""
    facts: dict[Address, Value] = {}
    for number, line in enumerate(document.text.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#") or text == _MARK:
            continue
        match = _ARCHIVE.fullmatch(text)
        if match is None:
            raise unreadable(f"{document.where}:{number}", "is no URL of a conda package")
        facts |= _package(match)
    return Foreign(format=FORMAT, facts=facts, coverage=Coverage(complete=frozenset({"conda"})))


def _package(match: re.Match[str]) -> dict[Address, Value]:
    name = match["name"].lower()
    facts: dict[Address, Value] = {
        ("conda", name, "version"): match["version"],
        ("conda", name, "build"): match["build"],
    }
    if match["md5"]:
        facts["conda", name, "md5"] = match["md5"].lower()
    if source := channel(match["base"]):
        facts["conda", name, "channel"] = source
    if name == "python":
        facts["python", "version"] = match["version"]
    family, _, machine = match["subdir"].partition("-")
    if family in _FAMILIES and machine in _MACHINES:
        facts["system", "os"] = _FAMILIES[family]
        facts |= architecture_fact(_MACHINES[machine])
    return facts
