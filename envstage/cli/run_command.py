"""`envstage run --view V -- CMD`: guard and observe a command, finalise its view."""

import argparse
import re
import sys
from collections.abc import Sequence

import msgspec

from envstage import layout
from envstage.capture.engine import Engine, engine_of
from envstage.cli.output import note
from envstage.cli.receipt_options import AS_IT_WAS, RESTATED, Evidence, add_receipt_arguments
from envstage.config import ON_DRIFT, ON_MISMATCH, View
from envstage.errors import EnvstageError, RefusedError
from envstage.project import Project, open_project
from envstage.runs.command import run_command
from envstage.runs.ending import end_like
from envstage.runs.finalise import (
    Fate,
    Finalised,
    collect_observation,
    finalise,
    restate,
    used_by,
)
from envstage.runs.guard import Guarded, guard, shell_command
from envstage.runs.policy import OnMismatch, Policy, Verdicts, policy_of
from envstage.runs.used import Kept, Used
from envstage.world import Machine, World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.usage = "envstage run --view VIEW [options] -- COMMAND ..."
    parser.epilog = (
        "exit codes: the command's own (a signal that killed it kills this program, too);\n"
        "125 refused: this machine is not what the view says, or it changed meanwhile;\n"
        "126 the command cannot be started, 127 there is no such program."
    )
    parser.add_argument("--view", required=True, metavar="VIEW", help="the stage's view")
    parser.add_argument("--shell", metavar="TEXT", help="a compound command, run by $SHELL")
    parser.add_argument(
        "--observe",
        action="store_false",
        dest="no_observe",
        default=None,
        help="watch what it uses (the default, unless the configuration says otherwise)",
    )
    parser.add_argument("--part", metavar="I/N", help="which of the stage's commands this is")
    parser.add_argument(
        "--on-mismatch",
        choices=ON_MISMATCH,
        help="where this machine is not what the view says (default: refuse)",
    )
    parser.add_argument(
        "--on-drift",
        choices=ON_DRIFT,
        help="where a fact that it used changes while it runs (default: fail)",
    )
    parser.add_argument(
        "--no-observe",
        action="store_true",
        default=None,
        help="compare, but leave the view as it is",
    )
    add_receipt_arguments(parser)
    # Of a `script:` rule, whose command names neither.
    parser.add_argument("--code", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--output", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")


def run(arguments: argparse.Namespace) -> int:
    """Run it; the command's exit code."""
    world = Machine()
    project = open_project(arguments.directory)
    argv = _argv(arguments)
    part, parts = _part(arguments.part)
    view = project.config.view(arguments.view)
    configured = project.config.guard
    if arguments.no_observe is None:  # a flag wins over the configuration
        arguments.no_observe = not configured.observe
    policy = policy_of(
        configured, arguments.on_mismatch, arguments.on_drift, not arguments.no_observe
    )
    evidence = Evidence(world, project, arguments, argv, (part, parts))
    run = evidence.runner(run_command)
    guarded = guard(world, project, view, argv, policy=policy, say=note, run=run)
    if guarded.after is None:
        evidence.write(guarded)
        return end_like(guarded.ending)
    try:
        used = used_by(project, guarded, arguments.code)
    except RefusedError as error:
        evidence.write(guarded, drift=error.what)
        raise
    fate = AS_IT_WAS
    _say_verdicts(used.verdicts, policy, view.name)
    if guarded.observation is None:
        if used.verdicts.mismatch and engine_of(world) is not None:
            restate(project, guarded, used)
            fate = RESTATED
    elif engine_of(world) is None:
        if sys.stderr is not None and sys.stderr.isatty():  # else a program reads it
            note("not started by the pipeline: the view stays as it is")
    elif (whole := _with_earlier_parts(project, view, used, part, parts)) is not None:
        finalised = _finished(world, project, guarded, whole, arguments)
        fate = finalised.fate.value
        _say(finalised, view.name)
    evidence.write(guarded, fate=fate, doubts=used.doubts, drift=used.verdicts.drift)
    return end_like(guarded.ending)


def _finished(
    world: World, project: Project, guarded: Guarded, used: Used, arguments: argparse.Namespace
) -> Finalised:
    view = guarded.view
    if engine_of(world) is Engine.SNAKEMAKE:
        from envstage.pipelines.snakemake_usage import written_down

        users_here = written_down(project.state, layout.folder_of(view.environment), view.name)
        if users_here.is_shared:
            from envstage.pipelines.snakemake_jobs import digests_of, job_of

            job = job_of(_argv(arguments), arguments.code, arguments.output)
            used = msgspec.structs.replace(used, outputs=digests_of(arguments.output))
            return collect_observation(project, guarded, used, job)
        return finalise(project, guarded, used)
    # Reads YAML: nothing that a command has to wait for.
    from envstage.pipelines.dvc_usage import is_shared, users_of

    users = users_of(world, project.root, layout.view_file(view.environment, view.name))
    instance = world.environ.get("DVC_STAGE", "")
    if is_shared(users):
        return collect_observation(project, guarded, used, instance)
    return finalise(project, guarded, used)


def _with_earlier_parts(
    project: Project, view: View, used: Used, part: int, parts: int
) -> Used | None:
    """What all commands of a stage used; None until the last one has ended."""
    kept = Kept(project.state, "parts", view.environment, view.name)
    if part == 1:
        kept.clear()
    if part < parts:
        kept.put(str(part), used)
        return None
    earlier = kept.all()
    kept.clear()
    missing = [each for each in range(1, parts) if str(each) not in earlier]
    if missing:
        doubt = f"part {missing[0]} of the stage's command was not observed"
        used = used.union(Used(doubts=(doubt,)))
    for each in earlier.values():
        used = used.union(each)
    return used


def _part(text: str | None) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text or "1/1")
    if match is None or int(match[1]) > int(match[2]):
        raise EnvstageError(f"`{text}` is no part", where="--part", fix="Write it as 2/3")
    return int(match[1]), int(match[2])


def _argv(arguments: argparse.Namespace) -> Sequence[str]:
    command: list[str] = arguments.command
    if command[:1] == ["--"]:
        command = command[1:]
    if arguments.shell is not None and not command:
        return shell_command(arguments.shell)
    if arguments.shell is not None or not command:
        raise EnvstageError("a command is needed", where="envstage run", fix="Write it behind `--`")
    return command


def _say_verdicts(verdicts: Verdicts, policy: Policy, view: str) -> None:
    if verdicts.mismatch and policy.on_mismatch is OnMismatch.RECORD:
        note(f"view {view}: {verdicts.mismatch}; recorded")
    if verdicts.drift:
        note(f"view {view}: the environment changed while the command ran: {verdicts.drift}")


def _say(finalised: Finalised, view: str) -> None:
    sys.stdout.flush()
    of = f"{finalised.packages} of {finalised.installed} packages"
    if finalised.fate is Fate.NARROWED:
        note(f"view {view}: {of} used")
    elif finalised.fate is Fate.COLLECTED:
        note(f"view {view} is shared: observed; `envstage track STAGE --update` narrows it")
    elif finalised.fate is Fate.GREW:
        note(f"view {view} is shared and grew: {of}; the others that share it will run again")
    for index, doubt in enumerate(finalised.doubts):
        note(f"view {view} stays wide: {doubt}" if index == 0 else f"  and: {doubt}")
