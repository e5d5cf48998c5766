"""What differs between a REF and an environment that is at hand."""

from envstage.compare.differences import differences
from envstage.compare.render import lines
from envstage.facets import catalogue
from envstage.notebook.captured import Comparison
from envstage.project import Project
from envstage.refs import Named
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Address, Facts, Level, Snapshot
from envstage.snapshot.words import printable
from envstage.trackers import refs
from envstage.world import Machine


def compared(ref: str, snapshot: Snapshot, directory: str) -> Comparison:
    """The differences from `ref` to a snapshot, up to the lower level of both.

    Raises:
        EnvstageError: nothing has that name, or it is no environment.
    """
    from envstage import config

    project = Project(root=directory, config=config.load(directory))
    old = refs.resolve(Machine(), project, ref, snapshot.environment)
    found = differences(_up_to(old, snapshot.level), _within(snapshot.facts, old.level))
    return Comparison(
        old=printable(old.label),
        new=snapshot_fingerprint(snapshot)[:14],
        rows=tuple((line.subject, line.text) for line in lines(found)),
    )


def _up_to(named: Named, level: Level) -> Facts:
    return _within(named.facts, min(level, named.level))


def _within(facts: Facts, level: Level) -> Facts:
    """The facts that a capture of this level looks for: above it, one side has not looked."""
    return {address: value for address, value in facts.items() if _is_within(address, level)}


def _is_within(address: Address, level: Level) -> bool:
    own = catalogue.level_of(address)
    return own is None or own <= level
