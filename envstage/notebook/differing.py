"""What differs between a REF and an environment that is at hand."""

from msgspec import structs

from envstage import config_file
from envstage.compare.render import lines
from envstage.compare.sides import Side, compare
from envstage.notebook.captured import Comparison
from envstage.project import Project
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot
from envstage.snapshot.words import printable
from envstage.trackers import refs
from envstage.world import Machine


def compared(ref: str, snapshot: Snapshot, directory: str, tooling: frozenset[str]) -> Comparison:
    """The differences from `ref` to a snapshot, of what both sides speak of.

    Args:
        tooling: packages that no result depends on here; a pip freeze of this very environment
            lists them, the snapshot does not.

    Raises:
        EnvstageError: nothing has that name, or it is no environment.
    """
    project = Project(root=directory, config=config_file.load(directory))
    old = refs.resolve(Machine(), project, ref, snapshot.environment)
    label = snapshot_fingerprint(snapshot)[:14]
    new = Side(label=label, level=snapshot.level, facts=snapshot.facts)
    listed = {address[1] for address in snapshot.facts if address[0] == "packages"}
    idle = tooling - listed
    facts = {
        address: value
        for address, value in old.facts.items()
        if address[0] != "packages" or address[1] not in idle
    }
    found = compare(structs.replace(old.side, facts=facts), new).differences
    return Comparison(
        old=printable(old.label),
        new=label,
        rows=tuple((line.subject, line.text) for line in lines(found)),
    )
