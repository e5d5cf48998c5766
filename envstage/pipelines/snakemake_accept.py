"""Make Snakemake take what depends on a view as up to date, without running it.

The view is rewritten with its time kept, and Snakemake's records get its new checksum: nothing
reruns, then or after a later `touch`. Where a dry-run still finds something to do, everything is
put back.
"""

import hashlib
import os
from collections.abc import Sequence

from envstage import layout
from envstage.capture.committed import project_lock
from envstage.capture.engine import as_called
from envstage.capture.predict import predicted
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.snakemake_history import outputs_of
from envstage.pipelines.snakemake_record import Record, Records
from envstage.pipelines.snakemake_status import still_to_do
from envstage.project import Project
from envstage.snapshot.files import write
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.document import ViewDocument
from envstage.world import World


def view_now(world: World, project: Project, view: View) -> ViewDocument:
    """The view as it is on this machine.

    Raises:
        EnvstageError: it is held here, so nobody can tell.
    """
    found = predicted(as_called(world), project, view.environment)
    document = found.views.get(view.name)
    if document is None:
        raise EnvstageError(
            found.held or "its environment is not there",
            where=f"view {view.name}",
            fix="Accept it on a machine of its environment",
        )
    return document


def accept(world: World, project: Project, view: View, document: ViewDocument) -> tuple[str, ...]:
    """Take a view as what the results that depend on it were made under; those, by their path.

    Raises:
        EnvstageError: Snakemake would run something all the same: code, data or parameters
            changed as well. Nothing is changed then.
    """
    records = Records(project)
    outputs = outputs_of(project, view)
    path = project.path(layout.view_file(view.environment, view.name))
    checksums = {each.output: records.checksums(each.output) for each in outputs}
    with project_lock(project):
        before = _read(path)
        _rewrite(project, path, view_document.encode(document))
        settle_records(project, view, outputs)
    found = still_to_do(world, records, [each.output for each in outputs])
    if found:
        with project_lock(project):
            _rewrite(project, path, before)
            for output, earlier in checksums.items():
                records.set_checksums(output, earlier)
        raise EnvstageError(
            f"more than the environment changed: {found}",
            where=f"view {view.name}",
            fix="Run Snakemake",
        )
    return tuple(each.output for each in outputs)


def settle_records(project: Project, view: View, outputs: Sequence[Record]) -> None:
    """Have Snakemake's records say that the outputs were made under the view that is there."""
    records = Records(project)
    file = records.place.view_file(view.environment, view.name)
    view_file = project.path(layout.view_file(view.environment, view.name))
    checksum = hashlib.sha256(_read(view_file)).hexdigest()
    for each in outputs:
        checksums = records.checksums(each.output)
        if file in checksums:
            prefix = "sha256:" if str(checksums[file]).startswith("sha256:") else ""
            records.set_checksums(each.output, checksums | {file: f"{prefix}{checksum}"})


def _rewrite(project: Project, path: str, content: bytes) -> None:
    """Rewrite a view; keep its time, by which Snakemake judges, and what it was."""
    stat = os.stat(path)
    archive.keep(project.state, _read(path))
    archive.keep(project.state, content)
    write(path, content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
