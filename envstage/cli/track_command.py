"""`envstage track STAGE`: make a stage depend on its environment."""

import argparse
import os

from envstage import layout
from envstage.cli.editing import add_editing_arguments, carry_out
from envstage.pipelines.dvc import plan_track
from envstage.project import find_root
from envstage.snapshot.model import LEVELS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.add_argument(
        "stages", nargs="+", metavar="STAGE", help="a stage: `train`, `sub/dvc.yaml:train`"
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
        help="from which level on facts count (default: hardware if a GPU is here, else platform)",
    )
    parser.add_argument(
        "--no-guard",
        dest="guard",
        action="store_false",
        help="leave the stage's command alone: its view stays wide",
    )
    add_editing_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan the edits, show them, apply them."""
    root = find_root(os.path.abspath(arguments.directory))
    plan = plan_track(
        root,
        tuple(arguments.stages),
        environment=arguments.environment,
        level=LEVELS[arguments.level] if arguments.level else None,
        guard=arguments.guard,
    )
    return carry_out(plan, root, arguments)
