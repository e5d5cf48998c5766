"""From what was seen to the files of an environment, as bytes: pure."""

from collections.abc import Mapping

import msgspec

from envstage import layout
from envstage.capture.collect import Capture
from envstage.capture.summary import summary_of
from envstage.config import Config, Environment
from envstage.errors import CaptureError
from envstage.export.reproduce import reproduce
from envstage.export.requirements import requirements
from envstage.facets import catalogue
from envstage.snapshot.canonical import canonical, nested
from envstage.snapshot.document import encode, snapshot_fingerprint
from envstage.snapshot.model import Facts, Snapshot, covered
from envstage.views import document as view_document
from envstage.views.document import ViewDocument
from envstage.views.projection import describe_unknown, project


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """The files of an environment by name within its folder, and what they say."""

    environment: Environment
    snapshot: Snapshot
    fingerprint: str
    views: Mapping[str, ViewDocument]
    files: Mapping[str, bytes]


def assemble(capture: Capture, config: Config) -> Assembled:
    """Make the documents of an environment.

    Raises:
        CaptureError: a fact that a view needs is unknown; the message names it.
    """
    environment = capture.environment
    views = {
        view.name: _view(capture, config, view.name) for view in config.views_of(environment.name)
    }
    snapshot = snapshot_of(capture, config)
    files = derived_files(snapshot, config)
    for name, view in views.items():
        files[f"{layout.VIEWS}/{name}.json"] = view_document.encode(view)
    return Assembled(
        environment=environment,
        snapshot=snapshot,
        fingerprint=snapshot_fingerprint(snapshot),
        views=views,
        files=files,
    )


def snapshot_of(capture: Capture, config: Config) -> Snapshot:
    """The facts up to the environment's level, and those that a view includes by name."""
    level = capture.environment.level
    views = config.views_of(capture.environment.name)
    include = tuple(pattern for view in views for pattern in view.include)
    facts = {}
    for address, value in capture.facts.items():
        own = catalogue.level_of(address)
        if (own is not None and own <= level) or covered(include, address):
            facts[address] = value
    return Snapshot(
        environment=capture.environment.name,
        level=level,
        facts=facts,
        anomalies=capture.anomalies,
    )


def derived_files(snapshot: Snapshot, config: Config) -> dict[str, bytes]:
    """What follows from the snapshot alone: itself, summary, documents for people, facets."""
    files = {
        layout.SNAPSHOT: encode(snapshot),
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


def _view(capture: Capture, config: Config, name: str) -> ViewDocument:
    projection = project(capture.facts, config.view(name), capture.environment.level)
    if projection.unknown:
        failure = capture.failure
        what = (
            failure.what
            if failure
            else f"a fact that it needs is unknown: {describe_unknown(projection.unknown)}"
        )
        fix = failure.fix if failure else f"Mend that, or exclude it in views.{name}.exclude"
        raise CaptureError(what, where=f"view {name}", fix=fix)
    return ViewDocument(
        level=projection.level, selection=view_document.WIDE, facts=projection.facts
    )
