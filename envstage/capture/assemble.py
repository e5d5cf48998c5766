"""From what was seen to the files of an environment, as bytes: pure."""

from collections.abc import Mapping

import msgspec

from envstage import layout
from envstage.capture.collect import Capture
from envstage.compare.differences import Difference, differences
from envstage.config import Config, Environment, View
from envstage.errors import CaptureError
from envstage.facets import catalogue
from envstage.facets.imports import Names
from envstage.facets.packages import TOOLING_MARK
from envstage.interpreter import ProbeError
from envstage.snapshot.canonical import canonical, nested
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Facts, Snapshot, covered
from envstage.views.archive import Archived
from envstage.views.document import ViewDocument
from envstage.views.prediction import predict
from envstage.views.projection import Projection, describe_unknown, project
from envstage.views.selection import Selection, selection_of
from envstage.world import World


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of an environment."""

    environment: Environment
    snapshot: Snapshot
    views: Mapping[str, ViewDocument]


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a view from before: the file that is there, and finalised ones."""

    on_disk: ViewDocument | None = None
    archived: tuple[Archived, ...] = ()


def assemble(
    capture: Capture,
    config: Config,
    projectors: "Projectors",
    earlier: Mapping[str, Earlier],
    only: frozenset[str] = frozenset(),
) -> Assembled:
    """Make the documents of an environment.

    Args:
        earlier: by view, what its selection is predicted from; none: wide.
        only: these views; none: all of the environment's.

    Raises:
        CaptureError: a fact that a view needs is unknown; the message names it.
    """
    environment = capture.environment
    failure = capture.failure
    if failure is not None and not config.views_of(environment.name):
        # With views, those that need the interpreter's facts say so.
        raise CaptureError(failure.what, where=f"environment {environment.name}", fix=failure.fix)
    views = predicted_views(projectors, config, earlier, only)
    return Assembled(environment=environment, snapshot=snapshot_of(capture, config), views=views)


def predicted_views(
    projectors: "Projectors",
    config: Config,
    earlier: Mapping[str, Earlier],
    only: frozenset[str] = frozenset(),
) -> dict[str, ViewDocument]:
    """The views of an environment on this machine; arguments and errors as for `assemble`."""
    return {
        view.name: _view(projectors, view, earlier.get(view.name, Earlier()))
        for view in config.views_of(projectors.capture.environment.name)
        if not only or view.name in only
    }


def snapshot_of(capture: Capture, config: Config) -> Snapshot:
    """The facts up to the environment's level, and those that a view includes by name."""
    level = capture.environment.level
    views = config.views_of(capture.environment.name)
    include = tuple(pattern for view in views for pattern in view.include)
    facts = {}
    for address, value in capture.facts.items():
        own = catalogue.level_of(address)
        is_ours = address[0] == "packages" and _is_only_ours(capture.facts, address[1])
        if (own is not None and own <= level and not is_ours) or covered(include, address):
            facts[address] = value
    return Snapshot(
        environment=capture.environment.name,
        level=level,
        facts=facts,
        anomalies=capture.anomalies,
    )


def _is_only_ours(facts: Facts, name: str) -> bool:
    return (TOOLING_MARK, name, "version") in facts


def derived_files(snapshot: Snapshot, config: Config) -> dict[str, bytes]:
    """What follows from the snapshot alone: summary, documents for people, facets."""
    # Imported only where something changed: a capture that finds nothing new does not need them.
    from envstage.capture.summary import summary_of
    from envstage.export.reproduce import reproduce
    from envstage.export.requirements import requirements

    files = {
        layout.SUMMARY: canonical(
            summary_of(snapshot, snapshot_fingerprint(snapshot), config.columns)
        ),
        layout.REQUIREMENTS: requirements(snapshot).encode(),
        layout.REPRODUCE: reproduce(snapshot).encode(),
    }
    return files | facet_files(snapshot)


def facet_files(snapshot: Snapshot) -> dict[str, bytes]:
    """One file a facet, so that `dvc diff` names what changed. Every facet has one, if empty."""
    tree = nested(snapshot.facts)
    names = {*catalogue.MODULES, *tree}
    return {f"{layout.FACETS}/{name}.json": canonical(tree.get(name, {})) for name in names}


def context_facts(capture: Capture, snapshot: Snapshot) -> Facts:
    """What was seen and is not part of the snapshot."""
    return {
        address: value for address, value in capture.facts.items() if address not in snapshot.facts
    }


class Projectors:
    """Projects the facts of one capture; what names mean is looked up at most once."""

    def __init__(self, world: World, root: str, capture: Capture) -> None:
        self.root = root
        self.capture = capture
        self._world = world
        self._names: Names | None = None

    @property
    def names(self) -> Names | None:
        """What names mean to the interpreter; None where it gave no answer."""
        if self._names is None and self.capture.answer is not None:
            self._names = Names(self._world, self.root, self.capture.answer)
        return self._names

    def project(self, view: View, selection: Selection | None) -> Projection:
        """The facts of a view under a selection (None: wide)."""
        names = self.names if selection is not None else None
        level = self.capture.environment.level
        return project(self.capture.facts, view, level, selection, names)

    def differences_from(self, view: View, document: ViewDocument) -> tuple[Difference, ...]:
        """What of a view's document is otherwise on this machine, by the same selection."""
        selection = selection_of(document, view.include)
        return differences(document.facts, self.project(view, selection).facts)


def require_known(projection: Projection, failure: ProbeError | None) -> None:
    """Refuse a view that needs a fact that could not be captured.

    Raises:
        CaptureError: with the fact, the reason and what to do.
    """
    if not projection.unknown:
        return
    name = projection.view.name
    what = f"a fact that it needs is unknown: {describe_unknown(projection.unknown)}"
    fix = f"Mend that, or exclude it in views.{name}.exclude"
    if failure is not None:
        what, fix = failure.what, failure.fix
    raise CaptureError(what, where=f"view {name}", fix=fix)


def _view(projectors: Projectors, view: View, earlier: Earlier) -> ViewDocument:
    def projector(selection: Selection | None) -> Projection:
        return projectors.project(view, selection)

    projection = predict(
        projector, earlier.on_disk, earlier.archived, projectors.root, view.include
    )
    require_known(projection, projectors.capture.failure)
    return projection.document
