"""What differs between the views of two runs: the environment, or what the code used of it.

An observed view holds what its run used. A package that only one of two views has was there for
both, as a rule: the code has begun, or ceased, to use it.
"""

from typing import Final

import msgspec

from envstage.compare.differences import Difference, differences
from envstage.snapshot.model import Address, Facts
from envstage.views.document import WIDE, ViewDocument

# Facts that are in an observed view because the run used or asked for them.
_USED: Final = frozenset({"packages", "conda", "modules", "entry_points", "providers", "files"})
# Facts that are there because the run used the GPU, or programs that nobody can look into.
_BY_USE: Final = frozenset({"hardware", "tools", "variables"})
_USES: Final = "uses"


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two runs.

    Attributes:
        environment: facts of the environment that are otherwise.
        begun: names that only the later run used.
        ceased: names that only the earlier run used.
    """

    environment: tuple[Difference, ...] = ()
    begun: tuple[str, ...] = ()
    ceased: tuple[str, ...] = ()


def changes(old: ViewDocument, new: ViewDocument) -> Changes:
    """Tell what the environment did from what the code did."""
    found = differences(old.facts, new.facts)
    if old.selection == new.selection == WIDE:
        return Changes(environment=found)
    environment: list[Difference] = []
    begun: set[str] = set()
    ceased: set[str] = set()
    for each in found:
        if not _is_use(each.address, old, new):
            environment.append(each)
        elif _is_in(each.address, new.facts):
            begun.add(_name(each.address))
        else:
            ceased.add(_name(each.address))
    return Changes(
        environment=tuple(environment), begun=tuple(sorted(begun)), ceased=tuple(sorted(ceased))
    )


def _is_use(address: Address, old: ViewDocument, new: ViewDocument) -> bool:
    if address[0] == _USES:
        return True
    before, after = _is_in(address, old.facts), _is_in(address, new.facts)
    if before and after:
        return False
    if address[0] in _BY_USE:
        return _uses(old.facts) != _uses(new.facts)
    if address[0] not in _USED:
        return False
    without = new if before else old
    if address[0] in ("packages", "conda"):
        # A wide view names every package: one that it lacks was not installed. Nor was one
        # whose name a run looked up in vain.
        return without.selection != WIDE and not _was_missing(address[1], without.facts)
    return True


def _is_in(address: Address, facts: Facts) -> bool:
    if address[0] in ("packages", "conda"):
        return any(each[:2] == address[:2] for each in facts)
    return address in facts


def _was_missing(package: str, facts: Facts) -> bool:
    names = {package, package.replace("-", "_")}
    return any(
        each[0] == "modules" and each[1] in names and value is None for each, value in facts.items()
    )


def _uses(facts: Facts) -> frozenset[Address]:
    return frozenset(address for address in facts if address[0] == _USES)


def _name(address: Address) -> str:
    return ".".join(address[:2])
