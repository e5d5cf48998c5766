"""Narrow a shared view to what all of its stages were seen to use, without running them."""

import hashlib
from collections.abc import Sequence

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.collect import collect
from envstage.capture.committed import project_lock, read_view
from envstage.compare.render import short
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.runs.finalise import collected
from envstage.runs.used import Used
from envstage.snapshot.files import write
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.archive import Archived
from envstage.views.document import ViewDocument
from envstage.world import World


class Narrowed(msgspec.Struct, frozen=True, kw_only=True):
    """A view before and after."""

    old: ViewDocument
    new: ViewDocument


def narrow(
    world: World,
    project: Project,
    view: View,
    instances: Sequence[tuple[str, str]],
    *,
    is_dry_run: bool = False,
) -> Narrowed:
    """Rewrite a view with the union of what was observed, on the machine of those runs.

    Args:
        instances: the stages (or instances) that depend on the view, each with the md5 of the
            view that its last run depended on, as dvc.lock has it.

    Raises:
        EnvstageError: one of them was not observed or ran in another environment than now: its
            result would be given a key that does not hold its facts.
    """
    where = layout.view_file(view.environment, view.name)
    old = read_view(project, view.environment, view.name)
    if old is None:
        raise EnvstageError("there is no view that can be read", where=where)
    used = _union(project, view, [name for name, _ in instances])
    content = view_document.encode(old)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    for name, recorded in instances:
        if recorded != md5:
            raise EnvstageError(
                "its last run had another view than the one here",
                where=f"stage {name}",
                fix="Run `dvc repro` first",
            )
    environment = project.config.environment(view.environment)
    capture = collect(world, project.root, project.config, environment)
    projectors = Projectors(world, project.root, capture)
    found = projectors.differences_from(view, old)
    if found:
        raise EnvstageError(
            f"this machine is not what the view says: {short(found)}",
            where=where,
            fix="Narrow it where its stages ran",
        )
    new = projectors.project(view, used.selection).document
    if is_dry_run:
        return Narrowed(old=old, new=new)
    with project_lock(project):
        archive.keep(project.state, content)
        archive.keep(project.state, view_document.encode(new))
        entry = Archived(view=new, inputs=used.inputs, reasons=used.reasons)
        archive.add(project.state, view.environment, view.name, entry)
        write(project.path(where), view_document.encode(new))
    return Narrowed(old=old, new=new)


def _union(project: Project, view: View, names: Sequence[str]) -> Used:
    kept = collected(project, view.environment, view.name).all()
    missing = [name for name in names if name not in kept]
    if missing or not names:
        raise EnvstageError(
            "has not been observed yet",
            where=f"stage {missing[0]}" if missing else f"view {view.name}",
            fix="Run it under the guard: `dvc repro`",
        )
    used = kept[names[0]]
    for name in names[1:]:
        used = used.union(kept[name])
    if used.selection is None:
        raise EnvstageError(
            f"could not be observed completely: {used.doubts[0] if used.doubts else 'no report'}",
            where=f"view {view.name}",
            fix="It stays wide",
        )
    return used
