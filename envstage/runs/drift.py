"""What of an environment changed while a command ran."""

from typing import Final

from envstage.capture.assemble import Projectors
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.facets.imports import Names
from envstage.observer.observation import Observation
from envstage.runs.guard import Guarded
from envstage.runs.loaded_files import archive_of
from envstage.snapshot.model import Facts
from envstage.views.selection import Selection

_LOOKED_UP: Final = ("modules", "files", "entry_points", "providers")


def drift_of(guarded: Guarded, after: Projectors, selection: Selection | None) -> str:
    """What of the facts that a run used is otherwise than at its start, in words."""
    found = ""
    if after is not guarded.before:
        end = after.project(guarded.view, selection).facts
        found = short(differences(_at_start(guarded, selection, end), end))
    if found or selection is None or guarded.observation is None or after.names is None:
        return found
    # Names are looked up at the end: one that the run did not find must not be there now.
    for name in guarded.observation.missing:
        if name in selection.modules and after.names.meaning(name) is not None:
            return f"{name} was not found and is there now"
    return _edited(guarded, guarded.observation, after.names)


def _edited(guarded: Guarded, observation: Observation, names: Names) -> str:
    """A file that the view had at the start: one in a temporary folder would now pass for a file
    that the run has made."""
    for label in {names.label(archive_of(path)) for path in observation.files}:
        known = guarded.used.get(("files", label))
        if known is not None and names.file(label) != known:
            return f"{label} was edited"
    return ""


def _at_start(guarded: Guarded, selection: Selection | None, end: Facts) -> Facts:
    """The facts at the start. Files and names are looked up when they are asked for, now: where
    the view asked for them at the start, its answers count."""
    found = dict(guarded.before.project(guarded.view, selection).facts)
    for address, value in guarded.used.items():
        if address[0] in _LOOKED_UP and address in end:
            found[address] = value
    return found
