"""What Snakemake would do, asked of Snakemake itself: nothing is run."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import Final

from envstage import layout
from envstage.capture.committed import read_view
from envstage.compare.differences import Difference, differences
from envstage.compare.render import short
from envstage.errors import CaptureError
from envstage.pipelines.complaint import complaint
from envstage.pipelines.dvc_status import PipelineState, Reason
from envstage.pipelines.snakemake_file import NAMES
from envstage.pipelines.snakemake_history import MadeBy, made_by
from envstage.pipelines.snakemake_record import Records
from envstage.pipelines.snakemake_stamps import expected
from envstage.project import Project
from envstage.snapshot.secrets import without_secret_words
from envstage.world import TimedOut, World

_TIMEOUT_S: Final = 3600
_NOTHING: Final = "Nothing to be done"
_COLUMNS: Final = ("output_file", "rule", "status", "plan")
_PENDING: Final = "update pending"
_FINE: Final = "ok"


def is_workflow(project: Project) -> bool:
    """Whether the project is a Snakemake workflow."""
    folder = Records(project).folder
    return any(os.path.isfile(os.path.join(folder, name)) for name in NAMES) or os.path.isfile(
        os.path.join(project.state, "snakemake.json")
    )


def workflow_state(world: World, project: Project) -> PipelineState:
    """Which files would be made anew, the views themselves left out.

    Raises:
        CaptureError: Snakemake is not here, or refuses.
    """
    records = Records(project)
    code, said, complained = _ask(world, records, ("--summary", "--nolock"))
    rows = _rows(said)
    if code != 0 or rows is None:
        raise CaptureError(
            f"`snakemake --summary` failed: {complaint(complained)}",
            fix="Run `snakemake -n` to see more",
        )
    views = {records.place.view_file(each.environment, each.name) for each in project.config.views}
    return PipelineState(
        reasons=tuple(
            Reason(stage=f"{row['output_file']} (rule {row['rule']})", why=why)
            for row in rows
            if row["plan"] == _PENDING and row["output_file"] not in views
            for why in _reasons(world, project, records, row)
        )
    )


def still_to_do(world: World, records: Records, outputs: Sequence[str]) -> str:
    """What a dry-run of the outputs says, in a line; empty: nothing."""
    code, said, complained = _ask(world, records, ("-n", "--nolock", "--", *outputs))
    lines = [line.strip() for line in (said + complained).splitlines()]
    if code == 0 and any(_NOTHING in line for line in lines):
        return ""
    reasons = [line for line in lines if line.lower().startswith("reason:")]
    line = (reasons or lines or ["`snakemake -n` failed"])[0 if reasons else -1]
    return without_secret_words(line)


def since(project: Project, made: MadeBy) -> tuple[Difference, ...]:
    """What differs between the view that a file was made under and what Snakemake found last."""
    view = made.view
    now = expected(project, view) or read_view(project, view.environment, view.name)
    if made.document is None or now is None:
        return ()
    return differences(made.document.facts, now.facts)


def _reasons(
    world: World, project: Project, records: Records, row: dict[str, str]
) -> tuple[str, ...]:
    record = records.of(row["output_file"])
    found = made_by(world, project, record) if record is not None else ()
    words = tuple(
        f"this machine is not what {layout.view_file(each.view.environment, each.view.name)} "
        f"says: {short(changes)}"
        for each in found
        if (changes := since(project, each))
    )
    if row["status"] != _FINE:
        return (*words, row["status"])
    return words or ("one of its inputs would be made anew",)


def _rows(text: str) -> list[dict[str, str]] | None:
    """The table of `--summary`; None where there is none."""
    lines = [line.split("\t") for line in text.splitlines()]
    head = next((line for line in lines if line[:1] == [_COLUMNS[0]]), None)
    if head is None or not set(_COLUMNS) <= set(head):
        return None
    below = lines[lines.index(head) + 1 :]
    return [dict(zip(head, line, strict=True)) for line in below if len(line) == len(head)]


def _ask(world: World, records: Records, words: Sequence[str]) -> tuple[int, str, str]:
    """The exit code of Snakemake, and both of its streams."""
    program = world.which("snakemake")
    command = (program,) if program else (sys.executable, "-m", "snakemake")
    if program is None and importlib.util.find_spec("snakemake") is None:
        raise CaptureError(
            "Snakemake is not installed here", fix="Run `pip install 'envstage[snakemake]'`"
        )
    command = (*command, *records.place.options(), *words)
    try:
        done = world.start(command, cwd=records.folder).finish(_TIMEOUT_S)
    except (OSError, TimedOut):
        raise CaptureError(f"`snakemake {words[0]}` gave no answer") from None
    said, complained = (each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
    return done.returncode, said, complained
