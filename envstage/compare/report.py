"""What a comparison tells people: the things that changed, and what follows from them."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from envstage.compare.changes import Change, changes
from envstage.compare.differences import Difference, Kind, rank
from envstage.compare.sides import Silence
from envstage.compare.versions import Severity
from envstage.snapshot.model import Address

_STEPS: Final = {
    Severity.MAJOR: 0,
    Severity.MINOR: 1,
    Severity.PATCH: 2,
    Severity.LOCAL: 3,
}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two that were compared, as it is called.

    Attributes:
        format: `snapshot`, `view`, `receipt`, or the format of somebody else's document.
        fingerprint: of the snapshot or view; nothing for documents of others.
    """

    label: str
    level: str
    format: str = "snapshot"
    commit: str | None = None
    fingerprint: str | None = None


class TouchedView(msgspec.Struct, frozen=True, kw_only=True):
    """A view that sees some of the changes, and the stages that depend on it."""

    name: str
    environment: str
    addresses: frozenset[Address]
    stages: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison, ready to be rendered."""

    a: Place
    b: Place
    differences: tuple[Difference, ...]
    silences: tuple[Silence, ...] = ()
    views: tuple[TouchedView, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The things that changed, the likeliest to matter first."""
        return ordered(changes(self.differences))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that would run again."""
        return tuple(dict.fromkeys(stage for view in self.views for stage in view.stages))

    def views_of(self, change: Change) -> tuple[str, ...]:
        """The names of the views that see a change."""
        addresses = {each.address for each in change.differences}
        return tuple(view.name for view in self.views if view.addresses & addresses)


def ordered(found: Iterable[Change]) -> tuple[Change, ...]:
    """By facet; within it what computes before the rest, and large steps before small ones."""
    return tuple(sorted(found, key=_effect))


def by_facet(found: Iterable[Change]) -> Mapping[str, tuple[Change, ...]]:
    """Changes in groups, in their order."""
    groups: dict[str, tuple[Change, ...]] = {}
    for change in found:
        groups[change.facet] = (*groups.get(change.facet, ()), change)
    return groups


def _effect(change: Change) -> tuple[int, bool, int, int, Address]:
    facet, numerical, _ = rank(change.subject)
    size = 1 if change.kind in (Kind.ADDED, Kind.REMOVED) else 3
    if change.severity is not None:
        size = _STEPS[change.severity]
    return (facet, not change.counts, numerical, size, change.subject)
