"""`envstage diff A [B]`: what differs between two snapshots."""

import argparse

from envstage import layout
from envstage.cli.output import print_json
from envstage.compare.differences import Difference, differences
from envstage.compare.render import as_json, lines
from envstage.errors import DIFFERS, OK
from envstage.facets import catalogue
from envstage.project import open_project
from envstage.refs import NOW, Named
from envstage.snapshot.model import Address, Level
from envstage.snapshot.words import printable
from envstage.trackers.refs import resolve
from envstage.world import Machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = "exit codes: 0 the same, 1 different, 2 misuse."
    parser.add_argument("a", metavar="A", help="a file, a Git revision, `mlflow:RUN_ID`, or `now`")
    parser.add_argument("b", metavar="B", nargs="?", default=NOW, help="likewise (default: now)")
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("--json", action="store_true", help="the differences as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the differences, the likeliest to matter first."""
    project = open_project(arguments.directory)
    world = Machine()
    old = resolve(world, project, arguments.a, arguments.environment)
    new = resolve(world, project, arguments.b, arguments.environment)
    found = compared(old, new)
    if arguments.json:
        print_json({"a": old.label, "b": new.label, "differences": as_json(found)})
    else:
        print_differences(found, f"{printable(old.label)} and {printable(new.label)}")
    return DIFFERS if found else OK


def compared(old: Named, new: Named) -> tuple[Difference, ...]:
    """The differences up to the lower level of both: above it one side has not looked."""
    level = min(old.level, new.level)
    return differences(
        {address: value for address, value in old.facts.items() if _is_within(address, level)},
        {address: value for address, value in new.facts.items() if _is_within(address, level)},
    )


def print_differences(found: tuple[Difference, ...], between: str, indent: str = "") -> None:
    """One line a thing that changed."""
    if not found:
        print(f"{indent}no difference between {between}")
        return
    rows = lines(found)
    width = min(max(len(row.subject) for row in rows), 40)
    for row in rows:
        print(f"{indent}{row.subject:{width}}  {row.text}")


def _is_within(address: Address, level: Level) -> bool:
    own = catalogue.level_of(address)
    return own is None or own <= level
