"""`envstage log --runs`: which environment made which result, over the commits."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from envstage.cli.output import note, print_json, print_rows
from envstage.compare.styled import Style
from envstage.errors import OK
from envstage.project import Project
from envstage.receipts.text import environment_of, outs_words, table_rows
from envstage.refs.history import starts
from envstage.refs.runs import Listed, runs
from envstage.world import World

_SHORT = 7
_FINGERPRINT = 14
_ID = 12


class OutJson(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that a run made."""

    path: str
    sha256: str | None
    dir_hash: str | None
    md5: str | None


class RunJson(msgspec.Struct, frozen=True, kw_only=True):
    """A run and the commit that recorded it; `commit` is null for the working tree."""

    commit: str | None
    time: str | None
    stage: str
    receipt: str
    run: str | None
    start: str | None
    outcome: str | None
    environment: str | None
    view: str | None
    view_name: str | None
    outs: tuple[OutJson, ...]
    problem: str


class RunsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `envstage log --runs --json` prints: the newest commit first."""

    document: Literal["runs"] = "runs"
    schema: Literal[1] = 1
    runs: tuple[RunJson, ...]


def run_log(world: World, project: Project, revision: str, most: int, *, as_json: bool) -> int:
    """Print a line for each run that a commit recorded."""
    start = starts(world, project, revision)
    listed = list(runs(world, project, start=start))
    listed = listed[:most] if most else listed
    if as_json:
        document = RunsDocument(runs=tuple(_json(each) for each in listed))
        print_json(msgspec.to_builtins(document))
        return OK
    styles = (Style.FAINT, None, Style.STRONG, None, None, None, Style.FAINT)
    print_rows(table_rows([_line(each) for each in listed], styles))
    if not listed:
        note("no run has left a receipt yet: `envstage track STAGE --receipt`, then `dvc repro`")
    return OK


def _line(each: Listed) -> Sequence[str]:
    commit = each.commit.id[:_SHORT] if each.commit else "(now)"
    receipt = each.receipt
    if receipt is None:
        day = each.commit.time[:10] if each.commit else ""
        return (commit, day, each.stage, "", "", each.problem, each.path)
    return (
        commit,
        receipt.run.start[:16].replace("T", " "),
        each.stage or receipt.view.name,
        receipt.run.id[:_ID],
        environment_of(receipt)[:_FINGERPRINT] or receipt.view.fingerprint[:_FINGERPRINT],
        outs_words(receipt) if receipt.run.outcome == "ended" else receipt.run.outcome,
        each.path,
    )


def _json(each: Listed) -> RunJson:
    receipt = each.receipt
    run = receipt.run if receipt else None
    return RunJson(
        commit=each.commit.id if each.commit else None,
        time=each.commit.time if each.commit else None,
        stage=each.stage,
        receipt=each.path,
        run=run.id if run else None,
        start=run.start if run else None,
        outcome=run.outcome if run else None,
        environment=(environment_of(receipt) or None) if receipt else None,
        view=receipt.view.fingerprint if receipt else None,
        view_name=receipt.view.name if receipt else None,
        outs=tuple(
            OutJson(path=out.path, sha256=out.sha256, dir_hash=out.dir_hash, md5=out.md5)
            for out in (receipt.outs if receipt else ())
        ),
        problem=each.problem,
    )
