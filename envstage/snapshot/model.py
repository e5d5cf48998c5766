"""The vocabulary of a snapshot: addresses, values and outcomes, levels, the document itself."""

import enum
import fnmatch
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

SCHEMA: Final = 1

Address: TypeAlias = tuple[str, ...]
"""Where a fact stands: `("packages", "numpy", "version")`, written `packages.numpy.version`."""


class Level(enum.IntEnum):
    """From which level on a fact counts: software within platform within hardware."""

    SOFTWARE = 1
    PLATFORM = 2
    HARDWARE = 3

    @property
    def word(self) -> str:
        """The level as configuration and documents write it: `platform`."""
        return self.name.lower()


LEVELS: Final[Mapping[str, Level]] = {level.word: level for level in Level}


class Unknown(msgspec.Struct, frozen=True):
    """Tried, and failed. Never written as absent.

    `why` is part of the document: no path, time or number in it that differs between two
    captures of an unchanged machine.
    """

    why: str


class NotApplicable(msgspec.Struct, frozen=True):
    """Cannot exist on this machine."""

    why: str


ABSENT: Final = None
"""Looked, and nothing was there. (A package or variable that is not in the document is absent.)"""

Scalar: TypeAlias = str | int | bool
Value: TypeAlias = Scalar | tuple[Scalar, ...] | Unknown | NotApplicable | None
Facts: TypeAlias = Mapping[Address, Value]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one environment up to its level.

    `schema` is that of the release that wrote it: the fingerprint of an old one stays what it is.
    """

    environment: str
    level: Level
    facts: Facts
    anomalies: tuple[str, ...] = ()
    schema: int = SCHEMA


def written(address: Address) -> str:
    """An address as people write it: `packages.numpy.version`."""
    return ".".join(address)


def covers(pattern: str, address: Address) -> bool:
    """Whether a written pattern names the fact or a group that holds it.

    `packages.numpy` covers `packages.numpy.version`; `*` and `?` match within the pattern as a
    shell would (`packages.nvidia-*`), dots included.
    """
    text = written(address)
    if text == pattern or text.startswith(pattern + "."):
        return True
    if "*" not in pattern and "?" not in pattern and "[" not in pattern:
        return False
    return fnmatch.fnmatchcase(text, pattern) or fnmatch.fnmatchcase(text, pattern + ".*")


def covered(patterns: Sequence[str], address: Address) -> bool:
    """Whether any of the patterns covers the address."""
    return any(covers(pattern, address) for pattern in patterns)
