"""`envstage run --view V -- CMD`: guard and observe a command, finalise its view."""

import argparse
import sys
from collections.abc import Sequence

from envstage.capture.set_aside import is_stage
from envstage.cli.output import note
from envstage.errors import EnvstageError
from envstage.project import open_project
from envstage.runs.finalise import Finalised, finalise
from envstage.runs.guard import guard, shell_command
from envstage.world import Machine


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
    view = project.config.view(arguments.view)
    guarded = guard(world, project, view, argv, is_observed=not arguments.no_observe)
    if guarded.observation is None:
        return guarded.returncode
    if not is_stage(world):
        note("not started by the pipeline: the view stays as it is")
        return guarded.returncode
    _say(finalise(project, guarded), arguments.view)
    return guarded.returncode


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
    if finalised.doubts:
        note(f"view {view} stays wide: {finalised.doubts[0]}")
        for doubt in finalised.doubts[1:]:
            note(f"  and: {doubt}")
    elif finalised.is_changed:
        note(f"view {view}: {finalised.packages} of {finalised.installed} packages used")
