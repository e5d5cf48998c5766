"""`envstage track STAGE`: make a stage depend on its environment."""

import argparse
import os

from envstage import layout
from envstage.capture.collect import gpu_is_visible
from envstage.capture.committed import read_view
from envstage.capture.write import Mode
from envstage.capture.write import run as run_capture
from envstage.cli.editing import add_editing_arguments, carry_out
from envstage.errors import OK, EnvstageError
from envstage.pipelines.dvc import plan_track
from envstage.pipelines.dvc_accept import RECORD, Acceptance, commit, other_changes
from envstage.pipelines.dvc_history import Tracked
from envstage.pipelines.dvc_usage import DVC_FILE, Usage, is_shared, locked_users
from envstage.pipelines.snakemake_narrow import narrow_view, view_of_rule
from envstage.pipelines.snakemake_status import is_workflow
from envstage.project import Project, find_root, open_project
from envstage.runs.narrow import narrow
from envstage.snapshot.model import LEVELS, Level
from envstage.snapshot.words import printable
from envstage.views.document import ViewDocument, view_fingerprint
from envstage.world import Machine, World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.add_argument(
        "stages",
        nargs="+",
        metavar="STAGE",
        help="a stage: `train`, `sub/dvc.yaml:train`; with --update, a rule of Snakemake's too",
    )
    parser.add_argument(
        "-e",
        "--environment",
        default=layout.MAIN,
        metavar="NAME",
        help="the environment that the stage runs in (default: main)",
    )
    parser.add_argument(
        "--level",
        choices=tuple(LEVELS),
        help="from which level on facts count (default: hardware if a GPU is visible here, "
        "else the environment's)",
    )
    parser.add_argument(
        "--no-guard",
        dest="guard",
        action="store_false",
        help="leave the stage's command alone: its view stays wide",
    )
    parser.add_argument(
        "--receipt",
        action="store_true",
        help="each run leaves a receipt, which DVC caches with what the run made",
    )
    parser.add_argument(
        "--accept",
        action="store_true",
        help="the stages' results stand: capture, and have DVC take them as up to date",
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="narrow a shared view to what its stages were seen to use; nothing reruns",
    )
    add_editing_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan the edits, show them, apply them; or narrow a shared view."""
    root = find_root(os.path.abspath(arguments.directory))
    world = Machine()
    if not os.path.isfile(os.path.join(root, DVC_FILE)):
        _require_no_workflow(root, arguments)
    if arguments.receipt:
        _require_plain(arguments)
    if arguments.update:
        return _update(world, root, arguments.stages, is_dry_run=arguments.dry_run)
    if arguments.accept:
        _require_clean(world, root, arguments.stages)
    plan = plan_track(
        root,
        tuple(arguments.stages),
        environment=arguments.environment,
        level=_level(world, root, arguments),
        guard=arguments.guard,
        receipt=arguments.receipt,
    )
    code = carry_out(plan, root, arguments)
    if arguments.accept and not arguments.dry_run:
        _accept(world, root, arguments.stages)
    return code


def _require_no_workflow(root: str, arguments: argparse.Namespace) -> None:
    """Say how it is done in a Snakefile, which nobody edits for its author."""
    project = open_project(root)
    known = arguments.update and all(view_of_rule(project, each) for each in arguments.stages)
    if is_workflow(project) and not known:
        raise EnvstageError(
            f"no rule {arguments.stages[0]} that ran depends on a view"
            if arguments.update
            else "a rule depends on the environment through its own `input:`",
            where="track",
            fix="`envstage init snakemake` says what to add to the Snakefile",
        )


def _level(world: World, root: str, arguments: argparse.Namespace) -> Level | None:
    if arguments.level:
        return LEVELS[arguments.level]
    project = open_project(root)
    if any(each.name == arguments.environment for each in project.config.environments):
        configured = project.config.environment(arguments.environment).level
    else:
        configured = Level.PLATFORM
    return Level.HARDWARE if gpu_is_visible(world, root, project.config) else configured


def _require_plain(arguments: argparse.Namespace) -> None:
    """Refuse what no receipt can come of: without a guard, or without a run."""
    reasons = {
        "--no-guard": not arguments.guard,
        "--accept": arguments.accept,
        "--update": arguments.update,
    }
    for option, is_given in reasons.items():
        if is_given:
            what = "writes receipts" if option == "--no-guard" else "runs"
            raise EnvstageError(
                f"with {option} nothing {what}", where="track --receipt", fix="Leave one away"
            )


def _require_clean(world: World, root: str, stages: list[str]) -> None:
    changes = other_changes(world, open_project(root), stages, ())
    if changes:
        raise EnvstageError(
            f"its results do not stand: {changes[0]}",
            where="track --accept",
            fix="Run `dvc repro` first, or track it without --accept",
        )


def _accept(world: World, root: str, stages: list[str]) -> None:
    """Adopt envstage on results that stand: the views are those of this machine now."""
    project = open_project(root)
    run_capture(world, project, mode=Mode.CAPTURE)
    acceptances, known = [], Tracked(world, project)
    for stage in stages:
        view, _ = known.of(stage)
        document = read_view(project, view.environment, view.name)
        acceptances.append(
            Acceptance(
                stage=stage,
                why="adopted: the results of its last run stand",
                old="none",
                new=view_fingerprint(document) if document else "none",
                differences=(),
            )
        )
    commit(world, project, ["environment", *stages], acceptances)
    print(f"accepted: {printable(', '.join(stages))}, recorded in {RECORD}; nothing will run again")


def _update(world: World, root: str, stages: list[str], *, is_dry_run: bool) -> int:
    project, known = open_project(root), None
    for stage in stages:
        shared = view_of_rule(project, stage)
        if shared is not None:
            narrowed = narrow_view(world, project, shared, is_dry_run=is_dry_run)
            of = f"{_packages(narrowed.new)} of {_packages(narrowed.old)} packages"
            fate = f"{'would be ' if is_dry_run else ''}narrowed to {of}; nothing will run again"
            is_same = narrowed.old == narrowed.new
            print(f"view {shared.name}: {'nothing to narrow' if is_same else fate}")
            continue
        known = known or Tracked(world, project)
        view, _ = known.of(stage)
        users = known.users(view)
        if not is_shared(users):
            print(f"view {view.name}: nothing to do, it is not shared: its own runs narrow it")
            continue
        locked = locked_users(root, users)
        _require_no_other_changes(world, project, [each.address for each in locked], users)
        instances = [(each.address, each.view_md5) for each in locked]
        done = narrow(world, project, view, instances, is_dry_run=is_dry_run)
        of = f"{_packages(done.new)} of {_packages(done.old)} packages"
        if is_dry_run:
            print(f"view {view.name}: would be narrowed to {of}")
            continue
        if done.old == done.new:
            print(f"view {view.name}: nothing to narrow")
            continue
        acceptances = [_narrowing(each.address, done.old, done.new) for each in locked]
        commit(world, project, [each.address for each in locked], acceptances)
        stages_of = printable(", ".join(each.address for each in locked))
        print(f"view {view.name}: narrowed to {of}, for {stages_of}")
    return OK


def _require_no_other_changes(
    world: World, project: Project, stages: list[str], users: tuple[Usage, ...]
) -> None:
    changes = other_changes(world, project, stages, [each.dep for each in users])
    if changes:
        raise EnvstageError(
            f"more than its environment changed: {changes[0]}",
            where="track --update",
            fix="Run `dvc repro` first",
        )


def _narrowing(stage: str, old: ViewDocument, new: ViewDocument) -> Acceptance:
    return Acceptance(
        stage=stage,
        why="narrowed to what its stages were seen to use",
        old=view_fingerprint(old),
        new=view_fingerprint(new),
        differences=(),
    )


def _packages(view: ViewDocument) -> int:
    return len({address[1] for address in view.facts if address[0] == "packages"})
