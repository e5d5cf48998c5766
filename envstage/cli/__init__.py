"""The command line: parse, print, exit codes, and nothing else.

Commands stand in a table and are imported when they are called: start-up is part of the
product, since `envstage capture` runs at every `dvc repro`.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, Protocol, cast

from envstage import __version__
from envstage.errors import MISUSE, EnvstageError

if TYPE_CHECKING:
    import argparse

INTERRUPTED: Final = 130

# name → what it does, in the words of --help. The module is envstage.cli.<name>_command.
COMMANDS: Final = {
    "init": "add the environment stage to an existing pipeline",
    "track": "make a stage depend on its environment",
    "capture": "take the snapshots: what the stage runs",
    "show": "a snapshot or view, as people read it",
    "diff": "what differs between two snapshots",
    "check": "does this machine match the snapshot?",
    "log": "the history of an environment over the commits that changed it",
    "why": "which facts made a stage rerun, or will",
    "accept": "a difference is harmless: nothing reruns, and it is on record",
    "export": "a snapshot as another tool reads it",
    "recreate": "build that environment again, and compare it",
    "run": "guard and observe a command, finalise its view",
}


class Command(Protocol):
    """The shape of a command's module."""

    def add_arguments(self, parser: "argparse.ArgumentParser") -> None:
        """Declare options and arguments."""

    def run(self, arguments: "argparse.Namespace") -> int:
        """Do it; the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except EnvstageError as error:
        from envstage.snapshot.words import printable

        print(f"envstage: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("envstage: interrupted; nothing is half-written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`): not an error, and Python must not say so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(words: list[str]) -> int:
    if words == ["capture"]:
        # What every `dvc repro` calls: argparse alone would cost it 10 ms.
        from envstage.cli import capture_command

        return capture_command.run(SimpleNamespace(**capture_command.DEFAULTS))
    import argparse

    parser = _parser()
    name = next((word for word in words if not word.startswith("-")), None)
    if name not in COMMANDS:
        arguments = parser.parse_args(words)
        parser.print_help()
        return 0 if getattr(arguments, "command", None) else MISUSE
    index = words.index(name)
    parser.parse_args([*words[:index], name])
    module = cast(Command, importlib.import_module(f"envstage.cli.{name}_command"))
    sub = argparse.ArgumentParser(
        prog=f"envstage {name}",
        description=f"{COMMANDS[name].capitalize()}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    sub.add_argument(
        "-C",
        "--directory",
        metavar="DIR",
        default=".",
        help="work as if started in DIR (default: here)",
    )
    module.add_arguments(sub)
    return module.run(sub.parse_args(words[index + 1 :]))


def _parser() -> "argparse.ArgumentParser":
    import argparse

    listed = "\n".join(f"  {name:10}{text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="envstage",
        description="Software environments as first-class nodes of DVC and Snakemake pipelines.",
        epilog=f"commands:\n{listed}\n\n`envstage COMMAND --help` tells more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="envstage [-h] [--version] COMMAND ...",
    )
    parser.add_argument("--version", action="version", version=f"envstage {__version__}")
    parser.add_argument("command", nargs="?", choices=tuple(COMMANDS), help=argparse.SUPPRESS)
    return parser
