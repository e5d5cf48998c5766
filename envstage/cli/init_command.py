"""`envstage init dvc`: add the environment stage to an existing pipeline."""

import argparse
import os

from envstage.cli.editing import add_editing_arguments, carry_out
from envstage.pipelines.dvc import plan_init, plan_remove
from envstage.project import find_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = "Every byte that is not shown in the diff stays as it is."
    parser.add_argument("engine", choices=("dvc",), help="which kind of pipeline it is")
    parser.add_argument(
        "--replace",
        metavar="STAGE",
        help="replace this stage, which writes `pip freeze` or the like",
    )
    parser.add_argument("--remove", action="store_true", help="undo it: stage, deps and guards")
    add_editing_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan the edits, show them, apply them."""
    root = find_root(os.path.abspath(arguments.directory))
    plan = plan_remove(root) if arguments.remove else plan_init(root, replace=arguments.replace)
    return carry_out(plan, root, arguments)
