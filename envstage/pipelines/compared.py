"""What a comparison means here: which views see it, and which stages read those."""

import msgspec

from envstage import layout
from envstage.compare.report import Place, Report, TouchedView
from envstage.compare.sides import Comparison, Side, compare
from envstage.config import View
from envstage.pipelines.readers import stages_of_views
from envstage.project import Project
from envstage.refs import Named, view_documents
from envstage.snapshot.document import snapshot_fingerprint
from envstage.views.document import view_fingerprint
from envstage.views.projection import project as projected
from envstage.views.selection import selection_of
from envstage.views.touched import touched
from envstage.world import World


def report_of(
    world: World,
    project: Project,
    old: Named,
    new: Named,
    *,
    environment: str,
    view: str = "",
    only: str = "",
) -> Report:
    """Compare two, and tell which views and stages of the project the differences reach.

    Args:
        environment: whose views are looked at.
        view: compare only what this view selects.
        only: compare only the facts of one facet.
    """
    sides = (old.side, new.side)
    if view:
        one = project.config.view(view)
        environment = one.environment
        sides = viewed(world, project, old, one, sides)
    found = _only(compare(*sides), only)
    return Report(
        a=place_of(old),
        b=place_of(new),
        differences=found.differences,
        silences=found.silences,
        views=_touched(world, project, old, environment, found, sides),
    )


def place_of(named: Named) -> Place:
    """How one of the two is called."""
    fingerprint = None
    if named.snapshot is not None:
        fingerprint = snapshot_fingerprint(named.snapshot)
    elif named.view is not None:
        fingerprint = view_fingerprint(named.view)
    return Place(
        label=named.label,
        level=named.level.word,
        format=named.format,
        commit=named.commit,
        fingerprint=fingerprint,
    )


def viewed(
    world: World, project: Project, old: Named, view: View, sides: tuple[Side, Side]
) -> tuple[Side, Side]:
    """Both sides as one view sees them, by the selection that it had on the old one."""
    document = view_documents(world, project, old.commit, view.environment).get(view.name)
    selection = selection_of(document) if document is not None else None
    level = min(side.level for side in sides)
    one, other = (
        msgspec.structs.replace(side, facts=projected(side.facts, view, level, selection).facts)
        for side in sides
    )
    return one, other


def _touched(
    world: World,
    project: Project,
    old: Named,
    environment: str,
    found: Comparison,
    sides: tuple[Side, Side],
) -> tuple[TouchedView, ...]:
    views = project.config.views_of(environment)
    if not found.differences or not views:
        return ()
    documents = view_documents(world, project, old.commit, environment)
    level = min(side.level for side in sides)
    facts = (sides[0].facts, sides[1].facts)
    seen = {
        view.name: touched(view, documents.get(view.name), level, found.differences, facts)
        for view in views
    }
    files = {name: layout.view_file(environment, name) for name in seen if seen[name]}
    stages = stages_of_views(project.root, files.values())
    return tuple(
        TouchedView(
            name=name,
            environment=environment,
            addresses=seen[name],
            stages=stages.get(file, ()),
        )
        for name, file in files.items()
    )


def _only(found: Comparison, facet: str) -> Comparison:
    if not facet:
        return found
    return Comparison(
        differences=tuple(each for each in found.differences if each.address[0] == facet),
        silences=tuple(each for each in found.silences if each.addresses[0][0] == facet),
    )
