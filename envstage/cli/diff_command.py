"""`envstage diff A [B]`: what differs between two environments."""

import argparse

from envstage import layout
from envstage.cli.output import print_json, print_rows, width
from envstage.compare.differences import Difference
from envstage.compare.render import lines
from envstage.errors import DIFFERS, OK
from envstage.facets import catalogue
from envstage.pipelines.compared import report_of
from envstage.refs import pair, project_or_folder
from envstage.trackers.refs import resolve
from envstage.world import Machine

REF_HELP = (
    "REF: a file or folder, a Git revision, REVISION:FILE, a DVC experiment, a receipt,\n"
    "a fingerprint or its beginning, `now` (this machine), `-` (standard input).\n"
    "Files may also be what pip freeze, pip inspect, conda, W&B or MLflow write;\n"
    "`mlflow:RUN_ID` is a tracked run."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = f"{REF_HELP}\n\nexit codes: 0 the same, 1 different, 2 misuse."
    parser.add_argument("a", metavar="A", help="a REF, or two of them: A..B")
    parser.add_argument("b", metavar="B", nargs="?", help="a REF (default: now)")
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("--view", metavar="NAME", default="", help="only what this view selects")
    parser.add_argument(
        "--only", metavar="FACET", default="", choices=catalogue.MODULES,
        help=f"only one facet: {', '.join(catalogue.MODULES)}",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a document for programs")
    form.add_argument("--md", action="store_true", help="a Markdown table, for a pull request")


def run(arguments: argparse.Namespace) -> int:
    """Print the differences, the likeliest to matter first."""
    project = project_or_folder(arguments.directory)
    world = Machine()
    environment = arguments.environment
    if arguments.view:
        environment = project.config.view(arguments.view).environment
    old, new = pair(
        world,
        project,
        arguments.a,
        arguments.b,
        environment,
        start=arguments.directory,
        find=resolve,
    )
    report = report_of(
        world,
        project,
        old,
        new,
        environment=environment,
        view=arguments.view,
        only=arguments.only,
    )
    if arguments.json:
        from envstage.compare.document import builtins, diff_document

        print_json(builtins(diff_document(report)))
    elif arguments.md:
        from envstage.compare.markdown import markdown

        print(markdown(report), end="")
    else:
        from envstage.compare.text import report_rows

        print_rows(report_rows(report, width()))
    return DIFFERS if report.differences else OK


def print_differences(found: tuple[Difference, ...], between: str, indent: str = "") -> None:
    """One line a thing that changed, for commands that tell more than differences."""
    if not found:
        print(f"{indent}no difference between {between}")
        return
    rows = lines(found)
    widest = min(max(len(row.subject) for row in rows), 40)
    for row in rows:
        print(f"{indent}{row.subject:{widest}}  {row.text}")
