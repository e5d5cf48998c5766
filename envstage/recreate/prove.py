"""Proof: rebuilt from nothing but committed files, and every view compared."""

from collections.abc import Sequence

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.committed import committed_snapshot, read_view
from envstage.capture.origins import Origins
from envstage.compare.differences import Difference, differences
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.export.conda_packages import conda_pins
from envstage.facets import catalogue
from envstage.project import Project
from envstage.recreate.clean_room import Room, clean_room
from envstage.recreate.installer import find_installer
from envstage.recreate.interpreters import find_interpreter, wanted_by
from envstage.recreate.places import indexes_of, places_of
from envstage.recreate.process import Progress
from envstage.recreate.rebuild import Order, Rebuilt, rebuild
from envstage.recreate.score import Score, scores
from envstage.recreate.verdicts import settable
from envstage.snapshot.model import Facts, Snapshot
from envstage.world import Machine, World

WHOLE = "(whole snapshot)"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be proven.

    Attributes:
        views: by name; none: all of the environment, or its whole snapshot where it has none.
        index: further indexes and folders of archives: nothing that is configured here counts.
    """

    revision: str = "HEAD"
    environment: str = layout.MAIN
    views: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    is_strict: bool = False
    is_offline: bool = False


class ProvenView(msgspec.Struct, frozen=True, kw_only=True):
    """One view: reproduced where nothing differs."""

    name: str
    differences: tuple[Difference, ...]

    @property
    def is_reproduced(self) -> bool:
        """Whether every fact of the view is as committed."""
        return not self.differences


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    revision: str
    snapshot: Snapshot
    rebuilt: Rebuilt
    views: tuple[ProvenView, ...]
    scores: tuple[Score, ...]

    @property
    def is_proven(self) -> bool:
        """Whether every selected view is reproduced."""
        return all(view.is_reproduced for view in self.views)


def prove(world: World, project: Project, claim: Claim, progress: Progress) -> Proof:
    """Clone, rebuild, recapture, compare.

    Raises:
        EnvstageError: nothing is committed, or it cannot be built.
    """
    with clean_room(world, project, claim.revision) as room:
        progress(f"commit {room.revision[:12]} in a clean folder, with an empty HOME")
        snapshot = committed_snapshot(room.project, claim.environment, "nothing to prove")
        chosen = _chosen(room.project, claim)
        inside = Machine({**room.environ, **settable(snapshot.facts, {})})
        rebuilt = _rebuilt(world, inside, room, snapshot, claim, progress)
        projectors = Projectors(inside, room.project.root, rebuilt.capture)
        views = tuple(_proven(room.project, view, projectors) for view in chosen)
        return Proof(
            revision=room.revision,
            snapshot=snapshot,
            rebuilt=rebuilt,
            views=views or (_whole(snapshot, rebuilt),),
            scores=scores(snapshot.facts, rebuilt.capture.facts),
        )


def _chosen(project: Project, claim: Claim) -> Sequence[View]:
    if not claim.views:
        return project.config.views_of(claim.environment)
    views = [project.config.view(name) for name in claim.views]
    for view in views:
        if view.environment != claim.environment:
            raise EnvstageError(
                f"is of the environment {view.environment}",
                where=f"view {view.name}",
                fix=f"Name it: --environment {view.environment}",
            )
    return views


def _rebuilt(
    outside: World,
    inside: World,
    room: Room,
    snapshot: Snapshot,
    claim: Claim,
    progress: Progress,
) -> Rebuilt:
    indexes = indexes_of(
        inside, room.project, Origins(), extra=claim.index, find_links=claim.find_links
    )
    installer = find_installer(inside, indexes, is_offline=claim.is_offline)
    # Interpreters belong to the machine: they may lie in the HOME that is hidden from the rest.
    interpreter = None
    if not conda_pins(snapshot):
        interpreter = find_interpreter(
            outside, wanted_by(snapshot), installer, progress, is_strict=claim.is_strict
        )
    order = Order(
        snapshot=snapshot,
        config=room.project.config,
        folder=room.folder,
        places=places_of(
            room.project,
            claim.environment,
            Origins(),
            has_sources=bool(claim.index + claim.find_links),
        ),
        interpreter=interpreter,
        is_kept=True,
    )
    return rebuild(inside, order, installer, progress)


def _proven(project: Project, view: View, projectors: Projectors) -> ProvenView:
    committed = read_view(project, view.environment, view.name)
    if committed is None:
        raise EnvstageError(
            "is not committed, or cannot be read",
            where=layout.view_file(view.environment, view.name),
            fix="Capture and commit `environment/`",
        )
    return ProvenView(name=view.name, differences=projectors.differences_from(view, committed))


def _whole(snapshot: Snapshot, rebuilt: Rebuilt) -> ProvenView:
    found = {
        address: value
        for address, value in rebuilt.capture.facts.items()
        if (own := catalogue.level_of(address)) is not None and own <= snapshot.level
    }
    return ProvenView(
        name=WHOLE, differences=differences(_counting(snapshot.facts), _counting(found))
    )


def _counting(facts: Facts) -> Facts:
    """What counts: where a build is known, the source is kept for rebuilding only."""
    return {
        address: value
        for address, value in facts.items()
        if catalogue.counts(address)
        and not (
            address[0] == "packages"
            and address[2:] == ("source",)
            and isinstance(facts.get((*address[:2], "build")), str)
        )
    }
