"""`envstage check [REF]`: does this machine match? `--pipeline`: would any stage run?"""

import argparse
import os
import shlex
from typing import TYPE_CHECKING

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.collect import Capture
from envstage.cli.diff_command import REF_HELP
from envstage.cli.output import print_json, print_rows, width
from envstage.compare.differences import Difference, Kind
from envstage.compare.remedies import Interpreter, Remedy, remedies
from envstage.compare.report import Place, Report
from envstage.compare.sides import compare
from envstage.config import View
from envstage.errors import DIFFERS, INCOMPLETE, OK, EnvstageError
from envstage.facets import catalogue
from envstage.facets.packages import TOOLING
from envstage.pipelines.compared import place_of, viewed
from envstage.project import Project, open_project
from envstage.recreate.programs import find_pip, find_uv
from envstage.refs import (
    Named,
    fresh,
    named_capture,
    on_disk,
    resolve,
    view_documents,
    view_on_disk,
)
from envstage.snapshot.model import Facts, Value
from envstage.snapshot.words import printable
from envstage.views.document import ViewDocument
from envstage.views.projection import check_patterns
from envstage.world import Machine, World

if TYPE_CHECKING:
    from envstage.pipelines.dvc_status import PipelineState

_MACHINE = "this machine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = (
        f"{REF_HELP}\n\n"
        "--pipeline captures nothing where ENVSTAGE_MODE=hold (CI): the committed views count.\n"
        "exit codes: 0 it matches (no stage would run), 1 it differs (a stage would run),\n"
        "2 misuse, 3 a fact is unknown."
    )
    parser.add_argument(
        "ref", nargs="?", metavar="REF", help="what to match (default: the snapshot on disk)"
    )
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("--view", metavar="NAME", help="only the facts that this view selects")
    parser.add_argument("--fix", action="store_true", help="print what would close the gap")
    parser.add_argument(
        "--pipeline",
        action="store_true",
        help="would any stage (or rule) but the environment's run?",
    )
    _add_receipt_arguments(parser)
    parser.add_argument("--json", action="store_true", help="a document for programs")


def _add_receipt_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what a run made")
    group.add_argument(
        "--receipt", metavar="R", help="a receipt (its file, or a run's id): is it as written?"
    )
    group.add_argument(
        "--file",
        metavar="PATH",
        action="append",
        default=[],
        help="is this file or folder what the run made? (default: its outs, where they are here)",
    )
    group.add_argument("--key", metavar="PUB", help="is it signed with this key? (a public key)")


def run(arguments: argparse.Namespace) -> int:
    """Compare the snapshot, or one view, with this machine as it is now."""
    if arguments.receipt or arguments.file or arguments.key:
        from envstage.cli.receipt_check import check_receipt

        return check_receipt(arguments)
    project = open_project(arguments.directory)
    check_patterns(project.config)
    world = Machine()
    if arguments.pipeline:
        if arguments.ref or arguments.view or arguments.fix:
            raise EnvstageError(
                "--pipeline looks at the whole pipeline as it is", fix="Leave the rest away"
            )
        return _pipeline(world, project, arguments.json)
    old, environment = _reference(world, project, arguments)
    capture = fresh(world, project, environment)
    report = _report(world, project, old, capture, arguments.view)
    steps = _steps(world, report, old, capture) if arguments.fix else ()
    if arguments.json:
        from envstage.compare.document import builtins, check_document

        print_json(builtins(check_document(report, steps)))
    else:
        _print(report, steps, arguments.fix)
    return _exit_code(report.differences)


def _reference(world: World, project: Project, arguments: argparse.Namespace) -> tuple[Named, str]:
    environment: str = arguments.environment
    ref: str | None = arguments.ref
    if arguments.view:
        environment = project.config.view(arguments.view).environment
    if ref is not None:
        found = resolve(world, project, ref, environment, arguments.directory)
    elif arguments.view:
        found = view_on_disk(project, arguments.view)
    else:
        found = on_disk(project, environment)
    if found.snapshot is not None and not arguments.view:
        environment = found.snapshot.environment
    return found, environment


def _report(
    world: World, project: Project, old: Named, capture: Capture, view_name: str | None
) -> Report:
    new = named_capture(project, capture)
    here = Place(label=_MACHINE, level=new.level.word, format="now")
    if view_name:
        view = project.config.view(view_name)
        document = old.view or _view_of(world, project, old, view)
        label = f"view {view_name}" if old.format == "view" else f"{old.label}, view {view_name}"
        if document is not None:
            found = Projectors(world, project.root, capture).differences_from(view, document)
            return Report(a=_labelled(old, label), b=here, differences=found)
        compared = compare(*viewed(world, project, old, view, (old.side, new.side)))
        return Report(
            a=_labelled(old, label),
            b=here,
            differences=compared.differences,
            silences=compared.silences,
        )
    compared = compare(old.side, new.side)
    return Report(
        a=place_of(old),
        b=here,
        # Where a package came from is kept for rebuilding; it makes no machine another one.
        differences=tuple(each for each in compared.differences if _counts(each)),
        silences=compared.silences,
    )


def _view_of(world: World, project: Project, old: Named, view: View) -> ViewDocument | None:
    """The view as the commit has it that the REF is of: it knows what its run used then."""
    if old.commit is None:
        return None
    return view_documents(world, project, old.commit, view.environment).get(view.name)


def _labelled(old: Named, label: str) -> Place:
    return msgspec.structs.replace(place_of(old), label=label)


def _counts(difference: Difference) -> bool:
    address = difference.address
    if address[0] == "packages" and address[1] in TOOLING:
        return False
    return catalogue.rule_of(address) is None or catalogue.counts(address)


def _steps(world: World, report: Report, old: Named, capture: Capture) -> tuple[Remedy, ...]:
    wanted: Facts = old.facts
    return remedies(report.changes, wanted, _interpreter(world, capture))


def _interpreter(world: World, capture: Capture) -> Interpreter:
    """What can install for it: uv, its own pip, or another interpreter's."""
    found: Value = capture.facts.get(("python", "executable"))
    executable = found if isinstance(found, str) else "python"
    uv = find_uv(world)
    if uv is not None:
        on_path = world.which("uv")
        is_same = on_path is not None and world.real_path(on_path) == world.real_path(uv)
        return Interpreter(executable=executable, uv="uv" if is_same else uv)
    if ("packages", "pip", "version") in capture.facts:
        return Interpreter(executable=executable, pip=(executable, "-m", "pip"))
    pip = find_pip(world)
    return Interpreter(
        executable=executable, pip=(*pip, "--python", executable) if pip is not None else ()
    )


def _print(report: Report, steps: tuple[Remedy, ...], is_asked: bool) -> None:
    from envstage.compare.text import report_rows

    if not report.differences:
        print(f"{printable(report.a.label)}: {_MACHINE} matches")
    # Without differences the rows say so once more, and what could not be compared.
    rows = report_rows(report, width())
    print_rows(rows if report.differences else rows[1:])
    if is_asked and report.differences:
        print()
        for step in steps:
            if step.command:
                print(shlex.join(step.command))
            if step.advice:
                print(f"# {printable(step.advice)}")


def _pipeline(world: World, project: Project, as_json: bool) -> int:
    state = _state(world, project)
    if as_json:
        print_json(
            {
                "document": "pipeline",
                "schema": 1,
                "would_run": [{"stage": each.stage, "why": each.why} for each in state.reasons],
                "taken_from_lock": list(state.absent),
            }
        )
    elif state.reasons:
        for each in state.reasons:
            print(f"{printable(each.stage)} would run: {printable(each.why)}")
    else:
        print("no stage but the environment's would run")
    if state.absent and not as_json:
        count = len(state.absent)
        print(f"(data that is not here, taken as dvc.lock says: {count})")
    return DIFFERS if state.reasons else OK


def _state(world: World, project: Project) -> "PipelineState":
    """Of DVC's pipeline, or of Snakemake's workflow where there is none of DVC's."""
    from envstage.pipelines.dvc_status import pipeline_state
    from envstage.pipelines.snakemake_status import is_workflow, workflow_state

    has_stages = os.path.isfile(project.path("dvc.yaml"))
    if not has_stages and is_workflow(project):
        return workflow_state(world, project)
    return pipeline_state(world, project)


def _exit_code(found: tuple[Difference, ...]) -> int:
    if not found:
        return OK
    return INCOMPLETE if all(each.kind is Kind.INCOMPARABLE for each in found) else DIFFERS
