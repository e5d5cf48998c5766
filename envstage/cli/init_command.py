"""`envstage init dvc`, `init snakemake`: add the environment to an existing pipeline."""

import argparse
import os

from envstage.cli.editing import add_editing_arguments, carry_out
from envstage.errors import EnvstageError
from envstage.pipelines import snakemake_init
from envstage.pipelines.dvc import plan_init, plan_remove
from envstage.pipelines.dvc_file import pipeline_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = (
        "Every byte that is not shown in the diff stays as it is.\n"
        "Next: `envstage track STAGE` (dvc), or what is said of each rule (snakemake)."
    )
    parser.add_argument("engine", choices=("dvc", "snakemake"), help="which kind of pipeline it is")
    parser.add_argument(
        "--replace",
        metavar="STAGE",
        help="replace this stage, which writes `pip freeze` or the like (dvc)",
    )
    parser.add_argument("--remove", action="store_true", help="undo it: stage, deps and guards")
    add_editing_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan the edits, show them, apply them."""
    if arguments.engine == "snakemake":
        return _snakemake(arguments)
    root = pipeline_root(os.path.abspath(arguments.directory))
    plan = plan_remove(root) if arguments.remove else plan_init(root, replace=arguments.replace)
    return carry_out(plan, root, arguments)


def _snakemake(arguments: argparse.Namespace) -> int:
    if arguments.replace:
        raise EnvstageError("`--replace` is for DVC", where="init snakemake")
    # Where Snakemake is run: a workflow does not have to be in a repository.
    root = os.path.abspath(arguments.directory)
    plan = snakemake_init.plan_remove if arguments.remove else snakemake_init.plan_init
    return carry_out(plan(root), root, arguments)
