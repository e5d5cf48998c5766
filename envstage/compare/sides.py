"""What is compared: facts, and how far the document that they come from can see.

A document that does not speak of a fact says nothing about it: neither that it is there nor that
it is absent. Such a fact is left out of a comparison, and counted, so that nobody takes silence
for agreement.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from envstage.compare.differences import Difference, differences, rank
from envstage.facets import catalogue
from envstage.facets.packages import OURS
from envstage.snapshot.model import Address, Facts, Level, NotApplicable, Value

A: Final = "a"
B: Final = "b"


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What a document speaks of beyond the facts that it holds.

    Attributes:
        complete: groups of which it lists every member with its version: `packages`.
        unlisted: members of those groups that its writer leaves out (pip freeze: pip itself).
        prefixes: facts of which only the beginning is said: `3.11` of conda's `python=3.11`.
    """

    complete: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    prefixes: frozenset[Address] = frozenset()


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two that are compared. Without a coverage it speaks of all up to its level."""

    label: str
    level: Level
    facts: Facts
    coverage: Coverage | None = None

    def knows(self, address: Address) -> bool:
        """Whether the document says anything about a fact, be it that it is absent."""
        if any(address[:length] in self.facts for length in range(len(address), 0, -1)):
            return True
        if self.coverage is not None:
            return (
                address[0] in self.coverage.complete
                and address[2:] == ("version",)
                and address[1] not in self.coverage.unlisted
            )
        own = catalogue.level_of(address)
        # A fact of no level is there only where a view names it.
        return own is not None and own <= self.level

    def tells(self, address: Address, other: "Side") -> bool:
        """Whether it says anything about a fact that the other one may have.

        A list of others names what only envstage needs; a snapshot of ours does not, although it
        is installed.
        """
        is_ours = address[0] == "packages" and address[1] in OURS
        if is_ours and self.coverage is None and other.coverage is not None:
            return any(each[:2] == address[:2] for each in self.facts)
        return self.knows(address)


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one kind that a side does not speak of: `packages.*.build`."""

    pattern: str
    lacking: str
    addresses: tuple[Address, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What differs, and what could not be compared because one document does not speak of it."""

    differences: tuple[Difference, ...]
    silences: tuple[Silence, ...] = ()


def compare(old: Side, new: Side) -> Comparison:
    """Compare two sides. The same on both is no difference; swapping them mirrors the result."""
    old, new = _with_conda_versions(old, new), _with_conda_versions(new, old)
    everything = old.facts.keys() | new.facts.keys()
    silent: dict[tuple[str, str], list[Address]] = {}
    compared: list[Address] = []
    for address in everything:
        lacking = _lacking(old.tells(address, new), new.tells(address, old))
        if lacking and _is_nothing(old.facts.get(address)) and _is_nothing(new.facts.get(address)):
            continue  # nothing is there where anything is told
        if lacking:
            silent.setdefault((_kind_of(address), lacking), []).append(address)
        elif not _agrees_by_prefix(address, old, new):
            compared.append(address)
    return Comparison(
        differences=differences(_only(old.facts, compared), _only(new.facts, compared)),
        silences=tuple(
            Silence(pattern=pattern, lacking=lacking, addresses=tuple(sorted(addresses)))
            for (pattern, lacking), addresses in sorted(
                silent.items(), key=lambda item: (rank(min(item[1])), item[0])
            )
        ),
    )


def _lacking(in_old: bool, in_new: bool) -> str:
    # Every address that is looked at stands on one side at least.
    return "" if in_old and in_new else B if in_old else A


def _kind_of(address: Address) -> str:
    rule = catalogue.rule_of(address)
    return rule.pattern if rule else ".".join(address)


def _only(facts: Facts, addresses: Iterable[Address]) -> Facts:
    return {address: facts[address] for address in addresses if address in facts}


def _agrees_by_prefix(address: Address, old: Side, new: Side) -> bool:
    if not any(
        side.coverage is not None and address in side.coverage.prefixes for side in (old, new)
    ):
        return False
    before, after = old.facts.get(address), new.facts.get(address)
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    short, long = sorted((before, after), key=len)
    return long == short or long.startswith(f"{short}.")


def _with_conda_versions(side: Side, other: Side) -> Side:
    """Conda's versions as those of packages, where the other side knows no conda at all.

    An `environment.yml` and a virtual environment name the same numpy in two facets.
    """
    if side.coverage is None or any(address[0] == "conda" for address in other.facts):
        return side
    theirs = {address[1] for address in other.facts if address[0] == "packages"}
    moved: dict[Address, Address] = {
        address: ("packages", *address[1:])
        for address in side.facts
        if address[0] == "conda" and address[2:] == ("version",) and address[1] in theirs
    }
    if not any(address[0] == "conda" for address in side.facts):
        return side
    facts = {
        moved.get(address, address): value
        for address, value in side.facts.items()
        if address in moved or address[0] != "conda"
    }
    prefixes = frozenset(moved.get(address, address) for address in side.coverage.prefixes)
    coverage = msgspec.structs.replace(
        side.coverage, complete=side.coverage.complete - {"conda"}, prefixes=prefixes
    )
    return msgspec.structs.replace(side, facts=facts, coverage=coverage)


def _is_nothing(value: Value) -> bool:
    return value is None or isinstance(value, NotApplicable)
