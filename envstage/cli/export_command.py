"""`envstage export FORMAT [REF]`: a snapshot as another tool reads it."""

import argparse
import sys

from envstage import layout
from envstage.cli.output import note
from envstage.errors import OK, EnvstageError
from envstage.export.formats import FORMATS, format_of
from envstage.project import Project, open_project
from envstage.recreate.artifacts import artifacts_of
from envstage.recreate.installer import Installer
from envstage.recreate.places import indexes_of, recorded
from envstage.recreate.programs import find_uv
from envstage.refs import Named, on_disk, resolve
from envstage.snapshot.files import write
from envstage.snapshot.model import Snapshot
from envstage.world import Machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    listed = "\n".join(f"  {name:16}{text}" for name, text in FORMATS.items())
    parser.epilog = (
        f"formats:\n{listed}\n\n"
        "What a snapshot cannot say stands in the document as a comment.\n"
        "exit codes: 0 written; 2 misuse; 3 an index could not be asked, or lacks a version."
    )
    parser.add_argument("format", choices=tuple(FORMATS), metavar="FORMAT", help="see below")
    parser.add_argument(
        "ref", nargs="?", metavar="REF", help="a file, a Git revision, `now`, `-` (default: disk)"
    )
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("-o", "--output", metavar="FILE", help="write to FILE, not to stdout")
    parser.add_argument(
        "--hashes",
        action="store_true",
        help="requirements, dockerfile: add sha256 digests, which uv asks the indexes for",
    )
    add_index_arguments(parser)


def add_index_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to look for packages beside what pip and uv are configured for."""
    parser.add_argument("--index", action="append", default=[], metavar="URL", help="a further one")
    parser.add_argument(
        "--find-links", action="append", default=[], metavar="DIR", help="a folder of archives"
    )
    parser.add_argument("--offline", action="store_true", help="use uv's cache only")


def run(arguments: argparse.Namespace) -> int:
    """Render it."""
    project = open_project(arguments.directory)
    _, snapshot = whole_named(project, arguments.ref, arguments.environment)
    form = format_of(arguments.format)
    artifacts = None
    if arguments.hashes or form.NEEDS_ARTIFACTS:
        world = Machine()
        indexes = indexes_of(
            world,
            project,
            recorded(project, arguments.environment),
            extra=arguments.index,
            find_links=arguments.find_links,
        )
        # uv alone: pip tells digests of what it installs, not of what the indexes have.
        installer = Installer(
            uv=find_uv(world),
            indexes=indexes,
            is_offline=arguments.offline,
            environ=world.environ,
        )
        artifacts = artifacts_of(installer, snapshot, lambda line: None)
    text = form.render(snapshot, artifacts)
    if arguments.output:
        write(arguments.output, text.encode())
        note(f"written: {arguments.output}")
    else:
        sys.stdout.write(text)
    return OK


def whole_named(project: Project, ref: str | None, environment: str) -> tuple[Named, Snapshot]:
    """What a REF names, and the snapshot that it is; a view is none."""
    named = resolve(Machine(), project, ref, environment) if ref else on_disk(project, environment)
    if named.snapshot is None:
        raise EnvstageError(
            f"is a {named.format}, and this needs a whole snapshot",
            where=named.label,
            fix="Name environment.json, a Git revision or `now`",
        )
    return named, named.snapshot
