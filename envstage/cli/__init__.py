"""The command line: parse, print, exit codes, and nothing else.

Commands stand in a table and are imported when they are called: start-up is part of the
product, since `envstage capture` runs at every `dvc repro`.
"""

import codecs
import io
import os
import sys

from envstage import __version__
from envstage.errors import MISUSE, OK, EnvstageError

# `typing` costs more than a capture that finds nothing new.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from envstage.trace.verify import Said

    class Command(Protocol):
        """The shape of a command's module."""

        def add_arguments(self, parser: argparse.ArgumentParser) -> None:
            """Declare options and arguments."""

        def run(self, arguments: argparse.Namespace) -> int:
            """Do it; the exit code."""


INTERRUPTED = 130
_PLAIN = {"→": "->", "…": "..."}

# name → what it does, in the words of --help. The module is envstage.cli.<name>_command.
COMMANDS = {
    "init": "add the environment stage to an existing pipeline",
    "track": "make a stage depend on its environment",
    "capture": "take the snapshots: what the stage runs",
    "show": "a snapshot, view or receipt, as people read it",
    "diff": "what differs between two snapshots",
    "check": "does this machine match the snapshot?",
    "log": "the history of an environment over the commits that changed it",
    "why": "which facts made a stage rerun, or will",
    "accept": "a difference is harmless: nothing reruns, and it is on record",
    "export": "a snapshot as another tool reads it",
    "recreate": "build that environment again, and compare it",
    "run": "guard and observe a command, finalise its view",
}


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run a command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    _prepare_output()
    try:
        code = _dispatch(words)
        sys.stdout.flush()  # here a full disk can be told; at exit Python would
        return code
    except EnvstageError as error:
        from envstage.cli.output import note

        note(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        print("envstage: interrupted; nothing is half-written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`): not an error, and Python must not say so at exit.
        _give_up_output()
        return 0
    except OSError as error:
        import errno  # not at every start

        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"envstage: {error.strerror}; the output is not whole.", file=sys.stderr)
        _give_up_output()
        return MISUSE


def _prepare_output() -> None:
    """Let everything be printable, whatever the locale: a capture must not fail for its words."""
    if sys.stdout is None:  # closed: `print` says nothing then, and the rest follows it
        sys.stdout = io.StringIO()
    codecs.register_error("envstage", _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="envstage")


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """What a C locale (a cluster's, a cron job's) has no character for, in ASCII."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    plain = (_PLAIN.get(each) or ascii(each)[1:-1] for each in text)
    return "".join(plain), error.end


def _give_up_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(words: list[str]) -> int:
    if words == ["capture"]:
        return _capture()
    import argparse

    parser = _parser()
    words = _with_directory_behind(words)
    name = next((word for word in words if not word.startswith("-")), None)
    if name not in COMMANDS:
        arguments = parser.parse_args(words)
        parser.print_help()
        return 0 if getattr(arguments, "command", None) else MISUSE
    index = words.index(name)
    parser.parse_args([*words[:index], name])
    module = _module(name)
    sub = argparse.ArgumentParser(
        prog=f"envstage {name}",
        description=COMMANDS[name].capitalize() + ("" if COMMANDS[name].endswith("?") else "."),
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
    arguments = sub.parse_args(words[index + 1 :])
    _require_folder(arguments.directory)
    return module.run(arguments)


def _require_folder(path: str) -> None:
    """Refuse a folder that is not there: looking upward from it would find another project."""
    if not os.path.isdir(path):
        raise EnvstageError("there is no such folder", where=path, fix="Correct `-C`")


def _with_directory_behind(words: list[str]) -> list[str]:
    """`-C DIR COMMAND …`, as Git has it, means `COMMAND -C DIR …`."""
    index = 0
    while index < len(words) and words[index].startswith(("-C", "--directory")):
        index += 2 if words[index] in ("-C", "--directory") else 1
    if not 0 < index < len(words) or words[index] not in COMMANDS:
        return words
    return [words[index], *words[:index], *words[index + 1 :]]


def _capture() -> int:
    """What every `dvc repro` calls: argparse alone would cost it 10 ms."""
    from envstage.trace import verify

    said = verify.unchanged(os.getcwd(), os.environ)
    if said is not None:
        say(said)
        return OK
    _load_msgspec()
    from types import SimpleNamespace

    from envstage.cli import capture_command

    return capture_command.run(SimpleNamespace(**capture_command.DEFAULTS))


def say(said: "Iterable[Said]") -> None:
    """Print what a capture says."""
    for text, is_note in said:
        if is_note:
            print(f"envstage: {text}", file=sys.stderr)
        else:
            print(text)


def _module(name: str) -> "Command":
    import importlib

    _load_msgspec()
    module: Command = importlib.import_module(f"envstage.cli.{name}_command")
    return module


def _load_msgspec() -> None:
    """Spare the loading of `typing_extensions`: msgspec takes from it what Python has from 3.11 on.

    That is half of its 50 ms.
    """
    name = "typing_extensions"
    if sys.version_info >= (3, 11) and name not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment]
        try:
            import msgspec  # noqa: F401
        finally:
            del sys.modules[name]


def _parser() -> "argparse.ArgumentParser":
    import argparse

    listed = "\n".join(f"  {name:10}{text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="envstage",
        description="Software environments as first-class nodes of DVC and Snakemake pipelines.",
        epilog=f"commands:\n{listed}\n\n`envstage COMMAND --help` tells more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="envstage [-h] [--version] [-C DIR] COMMAND ...",
    )
    parser.add_argument("--version", action="version", version=f"envstage {__version__}")
    parser.add_argument("command", nargs="?", choices=tuple(COMMANDS), help=argparse.SUPPRESS)
    return parser
