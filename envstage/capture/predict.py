"""What the views of an environment would be if it was captured now; nothing is written."""

from collections.abc import Mapping

import msgspec

from envstage.capture.assemble import Projectors, predicted_views
from envstage.capture.collect import belongs_here, collect
from envstage.capture.committed import earlier_views, read_view
from envstage.capture.mode import MODE_VARIABLE, Mode, mode_of
from envstage.capture.recording import Recording, recorded
from envstage.capture.tracing import keep_views, views_are_current
from envstage.interpreter import is_created
from envstage.project import Project
from envstage.views.document import ViewDocument
from envstage.views.projection import check_patterns
from envstage.world import World


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """The views of an environment on this machine.

    Attributes:
        held: why the views that are there stay as they are; empty: they do not have to.
        is_worth_saying: whether a person who did not ask for that should know.
        is_created: False where the environment will be there once a job needs it.
    """

    views: Mapping[str, ViewDocument] = {}
    held: str = ""
    is_worth_saying: bool = False
    is_created: bool = True


def predicted(world: World, project: Project, name: str) -> Predicted:
    """Look at an environment, and predict its views.

    Raises:
        CaptureError: a fact that a view needs is unknown.
        EnvstageError: a view's pattern matches nothing that exists.
    """
    check_patterns(project.config)
    environment = project.config.environment(name)
    if mode_of(world) is Mode.HOLD:
        return Predicted(held=f"held: {MODE_VARIABLE}=hold")
    if not is_created(world, environment.python, project.root):
        # Snakemake creates the environment of a `conda:` directive when a job needs it.
        reason = f"held: Snakemake has not created its environment yet ({environment.python})"
        return Predicted(held=reason, is_worth_saying=True, is_created=False)
    if not belongs_here(world, project.root, project.config, environment):
        conditions = ", ".join(f"{pattern}: {glob}" for pattern, glob in environment.where)
        reason = f"held: this machine is none of its machines ({conditions})"
        return Predicted(held=reason, is_worth_saying=True)
    there = {
        view.name: read_view(project, name, view.name) for view in project.config.views_of(name)
    }
    known = {view: document for view, document in there.items() if document is not None}
    if len(known) == len(there) and views_are_current(world, project, name):
        return Predicted(views=known)
    recording = recorded(world)
    capture = collect(recording, project.root, project.config, environment)
    projectors = Projectors(recording, project.root, capture)
    views = predicted_views(projectors, project.config, earlier_views(project, name))
    if isinstance(recording, Recording):
        keep_views(recording, project, name, is_quiet=views == there)
    return Predicted(views=views)
