"""What a stage's view will be: predicted before the run, by what earlier runs used.

A prediction that is wrong costs a rerun, never a missed one: the key of every stored result is
written after its run (`envstage.runs`). One that is right brings results back from the run
cache: an earlier finalised view that holds here, fact for fact, is written byte for byte.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence

import msgspec

from envstage.views.archive import Archived
from envstage.views.document import ViewDocument
from envstage.views.projection import Projection
from envstage.views.selection import Selection, selection_of

Projector = Callable[[Selection | None], Projection]
"""Projects this machine's facts by a selection."""


def predict(
    project: Projector,
    on_disk: ViewDocument | None,
    archived: Sequence[Archived],
    root: str,
    include: Sequence[str] = (),
) -> Projection:
    """The view to write.

    Args:
        on_disk: the view that is there; in a fresh clone the only one.
        archived: earlier finalised views, the newest first.
        root: the project's folder, to compare the code of those runs with the code now.
        include: what the view's configuration adds by name.

    Of the views that hold on this machine, the one whose run had the same code and parameters;
    where that does not decide, the one that is there, then the newest. If none holds: the
    newest selection, with this machine's facts.
    """
    candidates = [*_first(on_disk, archived), *archived]
    holding = [
        (score, projection)
        for each in candidates
        if (projection := _holds(project, each.view, include)) is not None
        for score in [_score(each.inputs, root)]
    ]
    if holding:
        # `max` keeps the first of equals.
        return max(holding, key=lambda found: found[0])[1]
    newest = archived[0].view if archived else on_disk
    return project(selection_of(newest, include) if newest is not None else None)


def input_digest(path: str) -> str:
    """The digest of one of a run's own files; empty where it is not there."""
    try:
        with open(path, "rb") as file:
            return "sha256:" + hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _first(on_disk: ViewDocument | None, archived: Sequence[Archived]) -> list[Archived]:
    """The view that is there, with what is known of it."""
    if on_disk is None:
        return []
    known = [each for each in archived if each.view == on_disk]
    return known[:1] or [Archived(view=on_disk, inputs={})]


def _holds(project: Projector, view: ViewDocument, include: Sequence[str]) -> Projection | None:
    # Its schema stays: an upgrade of envstage is no change of the environment.
    projection = msgspec.structs.replace(project(selection_of(view, include)), schema=view.schema)
    return projection if projection.document == view else None


def _score(inputs: Mapping[str, str], root: str) -> float:
    """How well a run's code fits the code that is there: the share of unchanged files.

    Unknown is better than changed, and worse than unchanged.
    """
    if not inputs:
        return 0.5
    same = sum(input_digest(os.path.join(root, path)) == value for path, value in inputs.items())
    return same / len(inputs) if same == len(inputs) else 0.4 * same / len(inputs)
