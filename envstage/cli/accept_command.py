"""`envstage accept STAGE`: this difference is harmless; nothing runs, and it is on record."""

import argparse
import hashlib

from envstage import layout
from envstage.capture.committed import read_view
from envstage.cli.diff_command import print_differences
from envstage.cli.editing import confirm
from envstage.cli.snakemake_outputs import accept_output, is_output
from envstage.compare.differences import differences
from envstage.config import View
from envstage.errors import OK, EnvstageError
from envstage.pipelines.dvc_accept import RECORD, Acceptance, commit, other_changes
from envstage.pipelines.dvc_history import Run, Tracked, last_runs
from envstage.pipelines.dvc_usage import Usage
from envstage.project import Project, open_project
from envstage.snapshot.words import printable
from envstage.views.document import ViewDocument, view_fingerprint
from envstage.world import Machine, World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = (
        "DVC: the difference is the one between the stage's last run and the last capture; run\n"
        "`envstage capture` first. Snakemake: this machine is looked at."
    )
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
    now = _view_now(project, view)
    runs = _runs(world, project, view, usage, arguments.stage)
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


def _view_now(project: Project, view: View) -> ViewDocument:
    now = read_view(project, view.environment, view.name)
    if now is None:
        raise EnvstageError(
            "there is no view that can be read",
            where=layout.view_file(view.environment, view.name),
            fix="Run `envstage capture`",
        )
    return now


def _runs(world: World, project: Project, view: View, usage: Usage, stage: str) -> list[Run]:
    """The last runs of a stage that depended on another view than the one that is there now."""
    runs = [
        each
        for each in last_runs(world, project, view, usage)
        if "@" not in stage or each.address == stage
    ]
    if not runs:
        raise EnvstageError("it has not run yet", where=f"stage {stage}", fix="Run `dvc repro`")
    with open(project.path(layout.view_file(view.environment, view.name)), "rb") as file:
        md5 = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    differing = [each for each in runs if each.md5 != md5]
    if not differing:
        # Else it would be on record that nothing differs, and the stage run all the same.
        raise EnvstageError(
            "its view is what it was at its last run, as of the last capture",
            where=f"stage {stage}",
            fix="If this machine has changed since, run `envstage capture` first",
        )
    return differing
