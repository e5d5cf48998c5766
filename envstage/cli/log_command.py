"""`envstage log`: the environment's history over the commits that changed it."""

import argparse
from collections.abc import Iterator
from functools import partial

from envstage import layout
from envstage.cli.output import note, print_json, print_rows, progress_bar, width
from envstage.compare.document import builtins
from envstage.compare.history import Step, differences_between, followed, log_document, log_rows
from envstage.errors import OK, EnvstageError
from envstage.project import open_project
from envstage.refs.history import Entry, history
from envstage.world import Machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.add_argument(
        "revision", nargs="?", metavar="REVISION", default="", help="a commit, branch or A..B"
    )
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument(
        "--fact", metavar="ADDRESS", default="", help="follow one fact, or one group of facts"
    )
    parser.add_argument(
        "-n", "--max-count", metavar="N", type=int, default=0, help="at most N commits"
    )
    parser.add_argument(
        "--runs", action="store_true", help="the runs that left receipts, and what they made"
    )
    parser.add_argument("--json", action="store_true", help="a document for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each commit, the newest first."""
    project = open_project(arguments.directory)
    environment = project.config.environment(arguments.environment).name
    if arguments.max_count < 0:
        raise EnvstageError("is less than nothing", where="--max-count")
    if arguments.runs:
        if arguments.fact:
            raise EnvstageError("--runs lists runs, not facts", where="log", fix="Leave one away")
        from envstage.cli.log_runs import run_log

        most = arguments.max_count
        return run_log(Machine(), project, arguments.revision, most, as_json=arguments.json)
    with progress_bar() as bar:
        entries = history(
            Machine(),
            project,
            environment,
            revision=arguments.revision,
            # A fact may be the same in most of the commits: then all of them are looked at.
            most=0 if arguments.fact else arguments.max_count,
            progress=partial(bar, "Reading snapshots") if bar else None,
        )
    steps = [step for entry in entries for step in _steps(entry, arguments.fact)]
    if arguments.max_count:
        steps = steps[: arguments.max_count]
    if arguments.json:
        print_json(builtins(log_document(environment, steps)))
    else:
        print_rows(log_rows(steps, width(), is_followed=bool(arguments.fact)))
        if not steps:
            note(_nothing(arguments.fact))
    return OK


def _steps(entry: Entry, pattern: str) -> Iterator[Step]:
    facts = followed(pattern, entry.after) if pattern else {}
    if pattern and facts == followed(pattern, entry.before):
        return
    found, words = differences_between(entry.before, entry.after, entry.problem)
    commit = entry.commit
    yield Step(
        commit=commit.id,
        time=commit.time,
        author=commit.author,
        subject=commit.subject,
        differences=found,
        words=words,
        facts=facts,
    )


def _nothing(pattern: str) -> str:
    if pattern:
        return f"no commit has a fact `{pattern}`"
    return "no commit has a snapshot yet: run `dvc repro` or `envstage capture`, and commit it"
