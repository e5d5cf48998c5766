"""All facets, in the order in which documents for people show them, and the rules of their facts.

The modules are named here and imported when they are asked for: nothing registers itself.
"""

import functools
import importlib
from collections.abc import Iterator
from typing import Final, cast

from envstage.facets.contract import Facet, FactRule, may_meet
from envstage.snapshot.model import Address, Level

MODULES: Final = (
    *("python", "packages", "conda", "variables", "system", "hardware", "tools"),
    "imports",
)


def facets() -> tuple[Facet, ...]:
    """The facets' modules."""
    return tuple(facet(name) for name in MODULES)


def facet(name: str) -> Facet:
    """The module of one facet."""
    return cast(Facet, importlib.import_module(f"envstage.facets.{name}"))


@functools.cache
def rules() -> tuple[FactRule, ...]:
    """The rules of every facet's facts."""
    return tuple(rule for each in facets() for rule in each.FACTS)


@functools.cache
def rule_of(address: Address) -> FactRule | None:
    """The rule that an address falls under (`*` in a rule stands for one name)."""
    known = _by_pattern()
    for pattern in _patterns(address):
        rule = known.get(pattern)
        if rule is not None:
            return rule
    return None


def level_of(address: Address) -> Level | None:
    """The level from which on a fact counts; None for the context, and for what no rule names."""
    rule = rule_of(address)
    return rule.level if rule else None


def counts(address: Address) -> bool:
    """Whether a fact is part of the views of its level without being named."""
    rule = rule_of(address)
    return rule is not None and rule.level is not None and rule.counts


def is_known(pattern: str) -> bool:
    """Whether a written pattern can name a fact that some facet gives."""
    return any(may_meet(pattern, tuple(rule.pattern.split("."))) for rule in rules())


@functools.cache
def _by_pattern() -> dict[Address, FactRule]:
    return {tuple(rule.pattern.split(".")): rule for rule in rules()}


def _patterns(address: Address) -> Iterator[Address]:
    """The patterns that could cover an address, the most exact first."""
    yield address
    for index in range(len(address) - 1, 0, -1):
        yield (*address[:index], "*", *address[index + 1 :])
