"""Which views a set of differences touches: those whose file would say something else."""

from collections.abc import Iterable

from envstage.compare.differences import Difference, differences
from envstage.config import View
from envstage.facets.packages import TOOLING_MARK
from envstage.snapshot.model import Address, Facts, Level, Value
from envstage.views.document import ViewDocument
from envstage.views.projection import project
from envstage.views.selection import selection_of


def touched(
    view: View, document: ViewDocument | None, level: Level, found: Iterable[Difference]
) -> frozenset[Address]:
    """The differences that a view sees, by what it selects, tolerates and leaves out.

    Args:
        document: the view's file, which tells what its stage was seen to use; None: wide.
        level: up to which the two sides were compared.

    What a name means to the interpreter is not in a snapshot: of the names that a run looked up
    in vain, only a package of that very name is recognised here.
    """
    listed = tuple(found)
    selection = selection_of(document) if document is not None else None
    before, after = (
        project(_facts(listed, is_new), view, level, selection).facts for is_new in (False, True)
    )
    seen = {each.address for each in differences(before, after)}
    if document is not None:
        missed = {
            address[1].replace("_", "-").lower()
            for address, value in document.facts.items()
            if address[0] == "modules" and value is None
        }
        seen |= {
            each.address
            for each in listed
            if each.address[0] == "packages" and each.address[1] in missed
        }
    return frozenset(each.address for each in listed if each.address in seen)


def _facts(found: tuple[Difference, ...], is_new: bool) -> Facts:
    facts: dict[Address, Value] = {}
    for each in found:
        value = each.new if is_new else each.old
        if each.address[0] != TOOLING_MARK and value is not None:
            facts[each.address] = value
    return facts
