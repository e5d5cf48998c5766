"""A model's requirements against an environment's packages: text and versions in, values out."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a model's requirements that says something else than the environment.

    Attributes:
        installed: the version in the environment; None where the package is not there.
        why: in words.
    """

    package: str
    required: str
    installed: str | None
    why: str


def disagreements(text: str, packages: Mapping[str, str]) -> tuple[Disagreement, ...]:
    """Every requirement that is not met, or that leaves the version open.

    Args:
        text: the content of a requirements.txt; options, comments and URLs are passed over.
        packages: version by name.
    """
    by_name = {_canonical(name): version for name, version in packages.items()}
    return tuple(
        found for line in text.splitlines() if (found := _disagreement(line, by_name)) is not None
    )


def _disagreement(line: str, packages: Mapping[str, str]) -> Disagreement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(re.split(r"(?:^|\s)#", line)[0].strip())
    except InvalidRequirement:
        return None
    if requirement.url or (requirement.marker and not requirement.marker.evaluate()):
        return None
    name = _canonical(requirement.name)
    installed = packages.get(name)
    required = str(requirement.specifier)
    why = _why(requirement.specifier, installed)
    if why is None:
        return None
    return Disagreement(package=name, required=required, installed=installed, why=why)


def _why(specifier: "SpecifierSet", installed: str | None) -> str | None:
    if installed is None:
        return "the environment does not have it"
    if not _is_met(specifier, installed):
        return f"the environment has {installed}"
    if not any(each.operator in ("==", "===") for each in specifier):
        return f"the version is left open; the environment has {installed}"
    return None


def _is_met(specifier: "SpecifierSet", installed: str) -> bool:
    from packaging.version import InvalidVersion

    try:
        return specifier.contains(installed, prereleases=True)
    except InvalidVersion:  # newer releases of packaging say False by themselves
        return False


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
