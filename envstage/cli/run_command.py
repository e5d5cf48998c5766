"""`envstage run --view V -- CMD`: guard and observe a command, finalise its view."""

import argparse
import re
import shlex
import sys
from collections.abc import Sequence

from envstage import layout
from envstage.capture.engine import Engine, engine_of
from envstage.cli.output import note
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.dvc_usage import is_shared, users_of
from envstage.pipelines.snakemake_usage import written_down
from envstage.project import Project, open_project
from envstage.runs.finalise import Fate, Finalised, collect_observation, finalise, used_by
from envstage.runs.guard import Guarded, guard, shell_command
from envstage.runs.used import Kept, Used
from envstage.world import Machine, World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.usage = "envstage run --view VIEW [options] -- COMMAND ..."
    parser.epilog = (
        "exit codes: the command's own (128 + the signal where one killed it);\n"
        "125 refused: this machine is not what the view says, or it changed meanwhile."
    )
    parser.add_argument("--view", required=True, metavar="VIEW", help="the stage's view")
    parser.add_argument("--shell", metavar="TEXT", help="a compound command, run by $SHELL")
    parser.add_argument("--part", metavar="I/N", help="which of the stage's commands this is")
    parser.add_argument(
        "--no-observe", action="store_true", help="compare before; leave the view as it is"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")


def run(arguments: argparse.Namespace) -> int:
    """Run it; the command's exit code."""
    world = Machine()
    project = open_project(arguments.directory)
    argv = _argv(arguments)
    part, parts = _part(arguments.part)
    view = project.config.view(arguments.view)
    guarded = guard(world, project, view, argv, is_observed=not arguments.no_observe)
    if guarded.observation is None:
        return guarded.returncode
    used = used_by(project, guarded)
    if engine_of(world) is None:
        note("not started by the pipeline: the view stays as it is")
    elif (whole := _with_earlier_parts(project, view, used, part, parts)) is not None:
        _say(_finished(world, project, guarded, whole, argv), view.name)
    return guarded.returncode


def _finished(
    world: World, project: Project, guarded: Guarded, used: Used, argv: Sequence[str]
) -> Finalised:
    view = guarded.view
    if engine_of(world) is Engine.SNAKEMAKE:
        users_here = written_down(project.state, layout.folder_of(view.environment), view.name)
        if users_here.is_shared:
            # A job has no name of its own; its command tells it from the other jobs.
            return collect_observation(project, guarded, used, shlex.join(argv))
        return finalise(project, guarded, used)
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
