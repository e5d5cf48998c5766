"""Make Snakemake take what depends on a view as up to date, without running it.

The view is rewritten with its time kept, and Snakemake's records get its new checksum: nothing
reruns, then or after a later `touch`. Where a dry-run still finds something to do, everything is
put back.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from envstage import layout
from envstage.capture.engine import as_called
from envstage.capture.predict import predicted
from envstage.capture.write import project_lock
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.snakemake_history import outputs_of
from envstage.pipelines.snakemake_record import Record, read_entry, record_path
from envstage.project import Project
from envstage.snapshot.files import write
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.document import ViewDocument
from envstage.world import TimedOut, World

_TIMEOUT_S: Final = 3600
_NOTHING: Final = b"Nothing to be done"


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
    outputs = outputs_of(project, view)
    path = project.path(layout.view_file(view.environment, view.name))
    entries = {each.output: _entry(project, each) for each in outputs}
    with project_lock(project):
        before = _read(path)
        _rewrite(project, path, view_document.encode(document))
        settle_records(project, view, outputs)
    found = _still_to_do(world, project, [each.output for each in outputs])
    if found:
        with project_lock(project):
            _rewrite(project, path, before)
            for output, entry in entries.items():
                _write_entry(project, output, entry)
        raise EnvstageError(
            f"more than the environment changed: {found}",
            where=f"view {view.name}",
            fix="Run Snakemake",
        )
    return tuple(each.output for each in outputs)


def settle_records(project: Project, view: View, outputs: Sequence[Record]) -> None:
    """Have Snakemake's records say that the outputs were made under the view that is there."""
    file = layout.view_file(view.environment, view.name)
    checksum = hashlib.sha256(_read(project.path(file))).hexdigest()
    for each in outputs:
        entry = _entry(project, each)
        if file in entry.get("input_checksums", {}):
            known = str(entry["input_checksums"][file])
            prefix = "sha256:" if known.startswith("sha256:") else ""
            checksums = entry["input_checksums"] | {file: f"{prefix}{checksum}"}
            _write_entry(project, each.output, entry | {"input_checksums": checksums})


def _still_to_do(world: World, project: Project, outputs: Sequence[str]) -> str:
    """What a dry-run of the outputs says, in a line; empty: nothing."""
    snakemake = world.which("snakemake")
    command = (snakemake,) if snakemake else (sys.executable, "-m", "snakemake")
    try:
        running = world.start((*command, "-n", "--nolock", *outputs), cwd=project.root)
        done = running.finish(_TIMEOUT_S)
    except TimedOut:
        raise EnvstageError("`snakemake -n` did not end") from None
    said = done.stdout + done.stderr
    if done.returncode == 0 and _NOTHING in said:
        return ""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
    reasons = [line for line in lines if line.lower().startswith("reason:")]
    return (reasons or lines or ["`snakemake -n` failed"])[0 if reasons else -1]


def _entry(project: Project, record: Record) -> dict[str, Any]:
    return read_entry(record_path(project.root, record.output)) or {}


def _write_entry(project: Project, output: str, entry: dict[str, Any]) -> None:
    write(record_path(project.root, output), json.dumps(entry).encode())


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
