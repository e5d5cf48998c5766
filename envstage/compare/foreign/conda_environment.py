"""conda's environment.yml: exported in full, without builds, or written by hand.

`conda env export` lists everything; a list by hand (or `--from-history`) names what somebody
asked for. Of `python=3.11` only the beginning of the version is known: conda would take 3.11.9.
"""

import re
from typing import Final

from envstage.compare.foreign.interface import Document, Foreign, package_facts, unreadable
from envstage.compare.foreign.requirements import parsed as requirement_lines
from envstage.compare.sides import Coverage
from envstage.errors import EnvstageError
from envstage.snapshot.model import Address, Value
from envstage.yaml_node import LIMIT_BYTES, Node, composed, refuse_bombs

FORMAT: Final = "conda environment.yml"
# name, =version, =build; a channel may stand before (`conda-forge::numpy`).
_SPEC: Final = re.compile(
    r"(?:(?P<channel>[^\s:]+)::)?(?P<name>[A-Za-z0-9._-]+)"
    r"(?:\s*(?P<operator>==?)\s*(?P<version>[A-Za-z0-9._!+-]+)(?:=(?P<build>[A-Za-z0-9._-]+))?)?"
)
_DEPENDENCIES: Final = re.compile(r"^dependencies\s*:", re.MULTILINE)


def recognises(document: Document) -> bool:
    """YAML with `dependencies:` at its top, named as conda names it."""
    return (
        document.name.endswith((".yml", ".yaml"))
        and document.name != "python_env.yaml"
        and _DEPENDENCIES.search(document.text) is not None
    )


def read(document: Document) -> Foreign:
    """Conda's packages, and what pip installed on top."""
    facts: dict[Address, Value] = {}
    prefixes: set[Address] = set()
    unversioned: set[str] = set()
    has_builds = False
    for item in _dependencies(document):
        if item.node.id == "mapping":
            facts |= _pip(item)
            continue
        match = _SPEC.fullmatch(item.text().split("[")[0].strip())
        if match is None:
            unversioned.add(re.split(r"[\s<>=!~]", item.text(), maxsplit=1)[0].lower())
            continue
        found = _package(match)
        facts |= found
        has_builds = has_builds or match["build"] is not None
        if not found:
            unversioned.add(match["name"].lower())
        elif match["operator"] == "=" and match["build"] is None:
            prefixes |= {address for address in found if address[-1] == "version"}
    return Foreign(
        format=FORMAT,
        facts=facts,
        coverage=Coverage(
            # Only an export in full has builds.
            complete=frozenset({"conda"} if has_builds else ()),
            unlisted=frozenset(unversioned),
            prefixes=frozenset(prefixes),
        ),
    )


def _dependencies(document: Document) -> list[Node]:
    if len(document.data) > LIMIT_BYTES:
        raise unreadable(document.where, "larger than 1 MiB")
    try:
        root = composed(document.data, document.where)
        if root is None:
            return []
        refuse_bombs(root.node, document.where)
        found = next((value for key, _, value in root.entries() if key == "dependencies"), None)
    except EnvstageError as error:
        raise unreadable(document.where, error.what) from None
    if found is None or found.node.id != "sequence":
        raise unreadable(document.where, "its `dependencies:` is no list")
    return [
        Node(item, document.where, ("dependencies", str(index)))
        for index, item in enumerate(found.node.value)
    ]


def _package(match: re.Match[str]) -> dict[Address, Value]:
    name, version = match["name"].lower(), match["version"]
    if version is None:
        return {}
    facts: dict[Address, Value] = {("conda", name, "version"): version}
    if match["build"]:
        facts["conda", name, "build"] = match["build"]
    if name == "python":
        facts["python", "version"] = version
    return facts


def _pip(item: Node) -> dict[Address, Value]:
    lines = [text for key, _, value in item.entries() if key == "pip" for text in value.texts()]
    found, _ = requirement_lines("\n".join(lines))
    return package_facts({line.name: line.version for line in found if line.version is not None})
