"""Which environment made a file: Snakemake's records, the kept views, and Git. Runs only Git."""

import hashlib
import os
import posixpath

import msgspec

from envstage import layout
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.git_views import contents_of
from envstage.pipelines.snakemake_place import read_place
from envstage.pipelines.snakemake_record import Record, Records
from envstage.project import Project
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.document import ViewDocument
from envstage.world import World


class MadeBy(msgspec.Struct, frozen=True, kw_only=True):
    """The environment that made a file.

    Attributes:
        rule: the rule that made it.
        sha256: of the view's file when the job had ended; empty where Snakemake recorded none.
        document: that view; None where nobody has it any more.
    """

    output: str
    rule: str
    view: View
    sha256: str
    document: ViewDocument | None


def record_of(project: Project, output: str) -> Record | None:
    """Snakemake's record of an output; None where it has none.

    Args:
        output: as its rule has it: relative to the folder in which Snakemake runs.
    """
    return Records(project).of(posixpath.normpath(output.replace(os.sep, "/")))


def environment_of_output(world: World, project: Project, output: str) -> tuple[MadeBy, ...]:
    """The views that a file was made under, each as it was then.

    Args:
        output: as its rule has it: relative to the folder in which Snakemake runs.

    Raises:
        EnvstageError: Snakemake recorded nothing of it, or it depends on no view.
    """
    record = record_of(project, output)
    if record is None:
        raise EnvstageError(
            "Snakemake has no record of it",
            where=output,
            fix="Name an output as its rule has it; `snakemake --summary` lists them",
        )
    found = made_by(world, project, record)
    if not found:
        raise EnvstageError(
            f"its rule, {record.rule}, depends on no view",
            where=output,
            fix="`envstage init snakemake` says what to add",
        )
    return found


def made_by(world: World, project: Project, record: Record) -> tuple[MadeBy, ...]:
    """The views that the output of a record was made under; none where it depends on none."""
    return tuple(_made_by(world, project, record, view) for view in views_of(project, record))


def outputs_of(project: Project, view: View) -> tuple[Record, ...]:
    """The records of the files that depend on a view, by their path."""
    records = Records(project)
    file = records.place.view_file(view.environment, view.name)
    found = [each for each in records.all() if file in each.input]
    return tuple(sorted(found, key=lambda each: each.output))


def views_of(project: Project, record: Record) -> tuple[View, ...]:
    """The views among the inputs of a job."""
    place = read_place(project)
    return tuple(
        view
        for view in project.config.views
        if place.view_file(view.environment, view.name) in record.input
    )


def _made_by(world: World, project: Project, record: Record, view: View) -> MadeBy:
    file = layout.view_file(view.environment, view.name)
    sha256 = record.checksums.get(read_place(project).view_file(view.environment, view.name), "")
    return MadeBy(
        output=record.output,
        rule=record.rule,
        view=view,
        sha256=sha256,
        document=_view_of(world, project, file, sha256) if sha256 else None,
    )


def _view_of(world: World, project: Project, file: str, sha256: str) -> ViewDocument | None:
    for content in contents_of(world, project, file, archive.all_kept(project.state)):
        if hashlib.sha256(content).hexdigest() == sha256:
            try:
                return view_document.decode(content, file)
            except EnvstageError:
                return None
    return None
