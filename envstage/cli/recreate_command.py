"""`envstage recreate [REF]`: give me that environment again."""

import argparse
import os
import sys

from envstage import layout
from envstage.cli.export_command import add_index_arguments, whole_named
from envstage.cli.output import note, print_json
from envstage.errors import DIFFERS, OK
from envstage.project import Project, open_project, require_own_folders
from envstage.recreate import report
from envstage.recreate.container import commands
from envstage.recreate.installer import find_installer
from envstage.recreate.places import indexes_of, places_of, recorded
from envstage.recreate.process import Progress
from envstage.recreate.prove import Claim, prove
from envstage.recreate.rebuild import Order, Rebuilt, rebuild
from envstage.recreate.words import as_json, summary, way_back
from envstage.refs import Named
from envstage.refs.git import Git
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.files import write
from envstage.snapshot.model import Snapshot
from envstage.world import Machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = (
        "exit codes: 0 every package is as it was; 1 built, but something differs (and it is not\n"
        "kept, unless --keep says so); 2 misuse; 3 it cannot be built from here.\n"
        "--prove: 0 only if every selected view is reproduced."
    )
    parser.add_argument(
        "ref", nargs="?", metavar="REF", help="a file or Git revision (default: the one on disk)"
    )
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("--to", metavar="DIR", help="build it there (default: below .envstage)")
    parser.add_argument(
        "--strict", action="store_true", help="only with the exact version of the interpreter"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep what can be built, though something differs"
    )
    parser.add_argument(
        "--prove",
        action="store_true",
        help="from nothing but committed files, in a clean folder, view by view",
    )
    parser.add_argument(
        "--view", action="append", default=[], metavar="NAME", help="--prove: only this view"
    )
    parser.add_argument("--report", metavar="DIR", help="--prove: write prove.json and prove.md")
    parser.add_argument(
        "--container", action="store_true", help="print the commands of a proof in a container"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    parser.add_argument("--json", action="store_true", help="the outcome as JSON")
    add_index_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Build, compare, say what came of it."""
    project = open_project(arguments.directory)
    require_own_folders(project)
    if arguments.prove and not arguments.container:
        return _prove(project, arguments)
    named, snapshot = whole_named(project, arguments.ref, arguments.environment)
    if arguments.container:
        print("\n".join(commands(snapshot, arguments.ref or "HEAD")))
        return OK
    rebuilt = _rebuilt(project, snapshot, arguments)
    if arguments.json:
        print_json(as_json(rebuilt, snapshot))
    else:
        print("\n".join(summary(rebuilt, snapshot)))
        if rebuilt.is_kept:
            _print_way_back(project, snapshot, rebuilt, _revision(project, named, arguments.ref))
    return OK if rebuilt.is_good else DIFFERS


def _prove(project: Project, arguments: argparse.Namespace) -> int:
    claim = Claim(
        revision=arguments.ref or "HEAD",
        environment=arguments.environment,
        views=tuple(arguments.view),
        index=tuple(arguments.index),
        find_links=tuple(arguments.find_links),
        is_strict=arguments.strict,
        is_offline=arguments.offline,
    )
    proof = prove(Machine(), project, claim, progress_of(arguments.quiet))
    folder = arguments.report or os.path.join(project.state, "prove")
    write(os.path.join(folder, "prove.json"), report.as_bytes(proof))
    write(os.path.join(folder, "prove.md"), report.markdown(proof).encode())
    if arguments.json:
        print_json(report.document(proof))
    else:
        print(report.markdown(proof), end="")
        note(f"written: prove.json and prove.md in {folder}")
    return OK if proof.is_proven else DIFFERS


def _rebuilt(project: Project, snapshot: Snapshot, arguments: argparse.Namespace) -> Rebuilt:
    world = Machine()
    origins = recorded(project, snapshot.environment)
    indexes = indexes_of(
        world, project, origins, extra=arguments.index, find_links=arguments.find_links
    )
    folder = arguments.to or os.path.join(
        project.state, "environments", snapshot_fingerprint(snapshot)[:14]
    )
    has_sources = bool(arguments.index or arguments.find_links)
    order = Order(
        snapshot=snapshot,
        config=project.config,
        folder=os.path.abspath(folder),
        places=places_of(project, snapshot.environment, origins, has_sources=has_sources),
        is_strict=arguments.strict,
        is_kept=arguments.keep,
    )
    installer = find_installer(world, indexes, is_offline=arguments.offline)
    return rebuild(world, order, installer, progress_of(arguments.quiet))


def _print_way_back(
    project: Project, snapshot: Snapshot, rebuilt: Rebuilt, revision: str | None
) -> None:
    uses_dvc = os.path.exists(project.path("dvc.yaml"))
    print("the rest of the way:")
    for line in way_back(rebuilt, snapshot, revision, uses_dvc=uses_dvc):
        print(f"  {line}")


def _revision(project: Project, named: Named, ref: str | None) -> str | None:
    """What to check out: the REF where Git knows it by that name, else the commit behind it."""
    commit = named.commit
    if named.receipt is not None:
        code = named.receipt.receipt.context.get("code") or {}
        commit = str(code.get("commit") or "")
    if not commit or ref is None:
        return None
    return ref if Git(Machine(), project.root).commit_of(ref) == commit else commit[:12]


def progress_of(is_quiet: bool) -> Progress:
    """Where the lines of a program that takes minutes go: to standard error, or nowhere."""

    def show(line: str) -> None:
        if not is_quiet and line.strip():
            print(f"  {line}", file=sys.stderr, flush=True)

    return show
