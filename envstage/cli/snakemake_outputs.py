"""What `why` and `accept` say of a file that a Snakemake rule made."""

import argparse
import os

from envstage import layout
from envstage.cli.diff_command import print_differences
from envstage.cli.editing import confirm
from envstage.cli.output import print_json
from envstage.compare.differences import Difference, differences
from envstage.compare.render import as_json
from envstage.errors import OK, EnvstageError
from envstage.pipelines.dvc_accept import RECORD, Acceptance, put_on_record
from envstage.pipelines.snakemake_accept import accept, view_now
from envstage.pipelines.snakemake_history import MadeBy, environment_of_output, record_of
from envstage.pipelines.snakemake_status import is_workflow, since
from envstage.project import Project
from envstage.snapshot.words import printable
from envstage.views.document import ViewDocument, view_fingerprint
from envstage.world import World


def is_output(project: Project, name: str) -> bool:
    """Whether Snakemake has a record of a file of that name, or should have: there is no DVC."""
    if record_of(project, name) is not None:
        return True
    return is_workflow(project) and not os.path.isfile(project.path("dvc.yaml"))


def explain_output(world: World, project: Project, arguments: argparse.Namespace) -> int:
    """Which environment made a file, and what is otherwise now."""
    made = environment_of_output(world, project, arguments.stage)
    found = [(each, since(project, each)) for each in made]
    if arguments.json:
        print_json([_as_json(each, changes) for each, changes in found])
        return OK
    for each, changes in found:
        print(f"{printable(each.output)} (rule {printable(each.rule)}, view {each.view.name})")
        if each.document is None:
            print("  made under a view that is nowhere to be found: it was never committed, and")
            print("  .envstage/ was deleted")
            continue
        print(f"  made under {view_fingerprint(each.document)[:14]}")
        if changes:
            print("  next: it would run again because of:")
            print_differences(changes, "", indent="    ")
        else:
            print("  next: its environment is what it was, as far as Snakemake has looked")
    return OK


def accept_output(world: World, project: Project, arguments: argparse.Namespace) -> int:
    """Show the facts, ask, and have Snakemake take what depends on the views as up to date."""
    acceptances = []
    new: dict[str, ViewDocument] = {}
    for each in environment_of_output(world, project, arguments.stage):
        document = new[each.view.name] = view_now(world, project, each.view)
        changes = differences(each.document.facts, document.facts) if each.document else ()
        if each.document is not None and not changes:
            continue
        print(f"{printable(each.output)} (rule {printable(each.rule)}):")
        print_differences(changes, "the view it was made under and the view now", indent="  ")
        acceptances.append((each, _acceptance(each, document, changes, arguments.why)))
    if not acceptances:
        raise EnvstageError("its environment is what it was", where=arguments.stage)
    confirm("Accept this as harmless?", arguments.yes)
    for each, acceptance in acceptances:
        outputs = accept(world, project, each.view, new[each.view.name])
        put_on_record(world, project, [acceptance])
        print(f"accepted for {printable(', '.join(outputs))}, recorded in {RECORD}")
    return OK


def _acceptance(
    made: MadeBy, document: ViewDocument, changes: tuple[Difference, ...], why: str
) -> Acceptance:
    old = view_fingerprint(made.document) if made.document else f"sha256:{made.sha256}"
    return Acceptance(
        stage=made.rule, why=why, old=old, new=view_fingerprint(document), differences=changes
    )


def _as_json(made: MadeBy, changes: tuple[Difference, ...]) -> dict[str, object]:
    return {
        "output": made.output,
        "rule": made.rule,
        "view": layout.view_file(made.view.environment, made.view.name),
        "made_under": view_fingerprint(made.document) if made.document else None,
        "next": as_json(changes),
    }
