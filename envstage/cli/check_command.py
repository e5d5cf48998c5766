"""`envstage check [REF]`: does this machine match?"""

import argparse

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.cli.diff_command import compared, print_differences
from envstage.cli.output import print_json
from envstage.compare.differences import Difference, Kind, differences
from envstage.compare.render import as_json
from envstage.errors import DIFFERS, INCOMPLETE, OK
from envstage.facets import catalogue
from envstage.project import Project, open_project
from envstage.refs import fresh, named_capture, on_disk, resolve
from envstage.views.projection import check_patterns
from envstage.views.projection import project as projected
from envstage.world import Machine, World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = "exit codes: 0 it matches, 1 it differs, 2 misuse, 3 a fact is unknown."
    parser.add_argument(
        "ref", nargs="?", metavar="REF", help="a file or Git revision (default: the one on disk)"
    )
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("--view", metavar="NAME", help="only the facts that this view selects")
    parser.add_argument("--json", action="store_true", help="the differences as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compare the snapshot, or one view, with this machine as it is now."""
    project = open_project(arguments.directory)
    check_patterns(project.config)
    world = Machine()
    if arguments.view:
        found = _view_differences(world, project, arguments.view, arguments.ref)
        name = f"view {arguments.view}"
    else:
        found = _snapshot_differences(world, project, arguments.ref, arguments.environment)
        name = f"environment {arguments.environment}"
    if arguments.json:
        print_json({"matches": not found, "differences": as_json(found)})
    elif found:
        print_differences(found, name)
    else:
        print(f"{name}: this machine matches")
    return _exit_code(found)


def _snapshot_differences(
    world: World, project: Project, ref: str | None, environment: str
) -> tuple[Difference, ...]:
    old = resolve(world, project, ref, environment) if ref else on_disk(project, environment)
    if old.snapshot is not None:
        environment = old.snapshot.environment
    new = named_capture(project, fresh(world, project, environment))
    # Where a package came from is kept for rebuilding; it does not make a machine another one.
    return tuple(each for each in compared(old, new) if catalogue.counts(each.address))


def _view_differences(
    world: World, project: Project, name: str, ref: str | None
) -> tuple[Difference, ...]:
    view = project.config.view(name)
    path = ref or project.path(layout.view_file(view.environment, name))
    old = resolve(world, project, path, view.environment)
    capture = fresh(world, project, view.environment)
    projectors = Projectors(world, project.root, capture)
    if old.view is not None:
        return projectors.differences_from(view, old.view)
    before = projected(old.facts, view, capture.environment.level).facts
    return differences(before, projectors.project(view, None).facts)


def _exit_code(found: tuple[Difference, ...]) -> int:
    if not found:
        return OK
    return INCOMPLETE if all(each.kind is Kind.INCOMPARABLE for each in found) else DIFFERS
