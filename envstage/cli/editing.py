"""Commands that edit a user's files: show the diff, ask, apply."""

import argparse
import sys
from typing import Final

from envstage.cli.output import note, shown
from envstage.errors import OK, EnvstageError
from envstage.pipelines.plan import Plan, apply

_GREEN: Final = "\x1b[32m"
_RED: Final = "\x1b[31m"
_PLAIN: Final = "\x1b[0m"


def add_editing_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every editing command has."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask, for scripts")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the diff, write nothing")


def carry_out(plan: Plan, root: str, arguments: argparse.Namespace) -> int:
    """Show a plan, ask unless told not to, and apply it."""
    if plan.is_empty:
        print("nothing to do: it is already so")
    else:
        print(_shown(plan.diff()), end="")
    if not plan.is_empty and not arguments.dry_run:
        confirm("Write this?", arguments.yes)
        apply(plan, root)
        print("written: " + ", ".join(edit.path for edit in plan.edits))
    for message in plan.messages:
        note(message)
    return OK


def confirm(question: str, is_sure: bool) -> None:
    """Ask a person, unless told not to; an error where the answer is no or nobody is there."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise EnvstageError(
            "nobody is there to ask, nothing was written", fix="Add --yes to write it"
        )
    try:
        answer = input(f"{question} [y/N] ").strip().lower()
    except EOFError:
        answer = ""
    if answer not in ("y", "yes"):
        raise EnvstageError("nothing was written")


def _shown(diff: str) -> str:
    """The lines of a diff, as they may be shown: they are a stranger's, perhaps."""
    painted = is_coloured()
    lines = []
    for raw in diff.split("\n"):
        line = "\t".join(shown(part) for part in raw.removesuffix("\r").split("\t"))
        colour = {"+": _GREEN, "-": _RED}.get(line[:1], "") if painted else ""
        lines.append(f"{colour}{line}{_PLAIN}" if colour else line)
    return "\n".join(lines)


def is_coloured() -> bool:
    """Whether standard output is a terminal that may be coloured (https://no-color.org)."""
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
