"""Which views a set of differences touches: those whose file would say something else."""

from collections.abc import Sequence, Set

from envstage.compare.differences import Difference, differences
from envstage.config import View
from envstage.snapshot.model import Address, Facts, Level
from envstage.views.document import ViewDocument
from envstage.views.projection import project
from envstage.views.selection import selection_of


def touched(
    view: View,
    document: ViewDocument | None,
    level: Level,
    found: Sequence[Difference],
    sides: tuple[Facts, Facts],
) -> frozenset[Address]:
    """The differences that a view sees, by what it selects, tolerates and leaves out.

    Args:
        document: the view's file, which tells what its stage was seen to use; None: wide.
        level: up to which the two sides were compared.
        sides: the facts of both. Only those of the things that differ are looked at.

    What a name means to the interpreter is not in a snapshot: of the names that a run looked up
    in vain, only a package of that very name is recognised here.
    """
    selection = selection_of(document) if document is not None else None
    things = {each.address[:2] for each in found}
    before, after = (project(_facts(side, things), view, level, selection).facts for side in sides)
    seen = {each.address for each in differences(before, after)}
    if document is not None:
        missed = {
            address[1].replace("_", "-").lower()
            for address, value in document.facts.items()
            if address[0] == "modules" and value is None
        }
        seen |= {
            each.address
            for each in found
            if each.address[0] == "packages" and each.address[1] in missed
        }
    return frozenset(each.address for each in found if each.address in seen)


def _facts(facts: Facts, things: Set[Address]) -> Facts:
    return {address: value for address, value in facts.items() if address[:2] in things}
