"""How two versions differ: the direction, and how large the step is."""

import enum
import functools
import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from packaging.version import Version

# The first number of a line such as `samtools 1.19.2` or `glibc 2.36`.
_NUMBER: Final = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+)*[\w.+!-]*)")


class Direction(enum.Enum):
    """Which way a thing changed."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    OTHER_BUILD = "other build"
    OTHER_ORIGIN = "other origin"
    OTHER_CONTENT = "other content"


class Severity(enum.Enum):
    """How large the step between two versions is."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    LOCAL = "local"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """From one version to another."""

    direction: Direction
    severity: Severity


def step(old: str, new: str) -> Step | None:
    """The step between two versions; None where either is none, or they are the same.

    The mirrored step has the other direction and the same severity.
    """
    before, after = _parsed(old), _parsed(new)
    if before is None or after is None or before == after:
        return None
    if before.public == after.public:
        return Step(direction=Direction.OTHER_BUILD, severity=Severity.LOCAL)
    direction = Direction.UPGRADE if after > before else Direction.DOWNGRADE
    return Step(direction=direction, severity=_severity(before, after))


def _severity(old: "Version", new: "Version") -> Severity:
    if old.epoch != new.epoch:
        return Severity.MAJOR
    parts = zip_longest(old.release, new.release, fillvalue=0)
    place = next((index for index, (one, other) in enumerate(parts) if one != other), 2)
    # A pre-release, a post-release and a fourth number are steps of a patch.
    return (Severity.MAJOR, Severity.MINOR, Severity.PATCH)[min(place, 2)]


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> "Version | None":
    from packaging.version import InvalidVersion, Version  # 10 ms, only where it is shown

    try:
        return Version(text)
    except InvalidVersion:
        match = _NUMBER.search(text[:200])
    try:
        return Version(match[1]) if match else None
    except InvalidVersion:
        return None
