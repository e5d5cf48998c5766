"""`envstage accept STAGE`: this difference is harmless; nothing runs, and it is on record."""

import argparse

from envstage.capture.committed import read_view
from envstage.cli.diff_command import print_differences
from envstage.cli.editing import confirm
from envstage.cli.snakemake_outputs import accept_output, is_output
from envstage.compare.differences import differences
from envstage.errors import OK, EnvstageError
from envstage.pipelines.dvc_accept import RECORD, Acceptance, commit, other_changes
from envstage.pipelines.dvc_history import Tracked, last_runs
from envstage.project import open_project
from envstage.snapshot.words import printable
from envstage.views.document import view_fingerprint
from envstage.world import Machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.add_argument(
        "stage",
        metavar="STAGE",
        help="a tracked stage, an instance of one, or an output of a Snakemake rule",
    )
    parser.add_argument("-m", "--why", required=True, metavar="TEXT", help="why it is harmless")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask, for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Show the facts, ask, record, and have DVC take the stage as up to date."""
    world = Machine()
    project = open_project(arguments.directory)
    if is_output(project, arguments.stage):
        return accept_output(world, project, arguments)
    view, usage = Tracked(world, project).of(arguments.stage)
    now = read_view(project, view.environment, view.name)
    runs = [
        each
        for each in last_runs(world, project, view, usage)
        if "@" not in arguments.stage or each.address == arguments.stage
    ]
    if now is None or not runs:
        raise EnvstageError(
            "there is no last run to compare with", where=f"stage {arguments.stage}"
        )
    others = other_changes(world, project, [each.address for each in runs], [usage.dep])
    if others:
        raise EnvstageError(
            f"more than its environment changed: {others[0]}",
            where=f"stage {arguments.stage}",
            fix="Run it: `dvc repro`",
        )
    acceptances = []
    for each in runs:
        found = differences(each.view.facts, now.facts) if each.view else ()
        print(f"stage {printable(each.address)}:")
        print_differences(found, "the view of its last run and the view now", indent="  ")
        acceptances.append(
            Acceptance(
                stage=each.address,
                why=arguments.why,
                old=view_fingerprint(each.view) if each.view else f"md5:{each.md5}",
                new=view_fingerprint(now),
                differences=found,
            )
        )
    confirm("Accept this as harmless?", arguments.yes)
    commit(world, project, [each.address for each in runs], acceptances)
    print(f"accepted, recorded in {RECORD}")
    return OK
