"""Narrow a view that the jobs of a workflow share to what all of them were seen to use."""

import hashlib
import os
from collections.abc import Mapping

from envstage import layout
from envstage.capture.engine import as_called
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.snakemake_accept import settle_records
from envstage.pipelines.snakemake_history import outputs_of, views_of
from envstage.pipelines.snakemake_jobs import made
from envstage.pipelines.snakemake_record import Record, Records
from envstage.project import Project
from envstage.runs.finalise import collected
from envstage.runs.narrow import Narrowed, narrow
from envstage.runs.used import Used
from envstage.world import World


def view_of_rule(project: Project, rule: str) -> View | None:
    """The view that a rule depended on when it ran last; None where it ran never, or on none."""
    for record in Records(project).all():
        if record.rule == rule:
            for view in views_of(project, record):
                return view
    return None


def narrow_view(
    world: World, project: Project, view: View, *, is_dry_run: bool = False
) -> Narrowed:
    """Rewrite a view with the union of what its jobs used; nothing reruns.

    Raises:
        EnvstageError: a job was not observed, or ran in another environment than this one.
    """
    outputs = outputs_of(project, view)
    records = Records(project)
    file = records.place.view_file(view.environment, view.name)
    path = project.path(layout.view_file(view.environment, view.name))
    with open(path, "rb") as opened:
        content = opened.read()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(content).hexdigest()
    kept = collected(project, view.environment, view.name).all()
    instances: dict[str, str] = {}
    for each in outputs:
        name = _observed(each, kept, records.folder)
        is_current = each.checksums.get(file) == sha256
        instances[name] = instances.get(name, md5) if is_current else ""
    stat = os.stat(path)
    done = narrow(as_called(world), project, view, list(instances.items()), is_dry_run=is_dry_run)
    if not is_dry_run:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        settle_records(project, view, outputs)
    return done


def _observed(record: Record, kept: Mapping[str, Used], folder: str) -> str:
    """The observation of the job that made an output."""
    for job, used in kept.items():
        if made(job, record, used.outputs, folder):
            return job
    fix = f"Run {record.rule} again"
    if record.shellcmd:
        fix = f"Put `envstage run --view … --` before the command of {record.rule}, and run it"
    raise EnvstageError("the job that made it was not observed", where=record.output, fix=fix)
