"""`envstage show [REF]`: a snapshot or view, as people read it."""

import argparse

from envstage import layout
from envstage.cli.diff_command import REF_HELP
from envstage.cli.output import plural, print_json, print_rows, width
from envstage.compare.document import builtins
from envstage.compare.overview import Overview, overview_rows
from envstage.errors import OK, EnvstageError
from envstage.pipelines.compared import place_of
from envstage.project import Project
from envstage.receipts.document import Sealed
from envstage.receipts.text import receipt_rows
from envstage.refs import NOW, Named, on_disk, project_or_folder, resolve, view_on_disk
from envstage.snapshot.canonical import encoded, nested
from envstage.snapshot.model import Value, covers, written
from envstage.snapshot.secrets import REMOVED, holds_secret
from envstage.snapshot.words import printable, value_text
from envstage.views.reasons import known_reasons, left_out, reasons
from envstage.world import Machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = REF_HELP
    parser.add_argument(
        "ref",
        nargs="?",
        metavar="REF",
        help="what to show, a run (`r-…`) too (default: the snapshot on disk)",
    )
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("--view", metavar="NAME", help="show this view instead of the snapshot")
    parser.add_argument("--fact", metavar="ADDRESS", help="print one fact, or one group of facts")
    parser.add_argument(
        "--why", action="store_true", help="with --view: the reason that each fact is there"
    )
    parser.add_argument("--all", action="store_true", help="every fact, one a line")
    parser.add_argument("--json", action="store_true", help="the facts as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    project = project_or_folder(arguments.directory)
    named = _named(project, arguments)
    if named.receipt is not None and not (arguments.fact or arguments.all or arguments.view):
        return _show_receipt(named.receipt, arguments.json)
    if arguments.why:
        return _print_reasons(project, named, arguments)
    if arguments.fact:
        return _print_fact(named, arguments.fact, arguments.json)
    if arguments.json:
        print_json(
            {
                "document": "show",
                "schema": 1,
                "facts": nested(named.facts),
                "level": named.level.word,
                "ref": named.label,
            }
        )
    elif arguments.all:
        for address, value in sorted(named.facts.items()):
            print(f"{printable(written(address))}: {value_text(value)}")
    else:
        print_rows(overview_rows(_overview(named), width()))
    return OK


def _named(project: Project, arguments: argparse.Namespace) -> Named:
    world, environment, ref = Machine(), arguments.environment, arguments.ref
    if not arguments.view:
        if ref is None:
            return on_disk(project, environment)
        return resolve(world, project, ref, environment, arguments.directory)
    if ref is None:
        return view_on_disk(project, arguments.view)
    if ref == NOW:
        raise EnvstageError(
            "a view is what a capture wrote",
            where="show now",
            fix=f"`envstage check --view {arguments.view}` compares it with this machine",
        )
    view = project.config.view(arguments.view)
    # The view as a revision has it is a file of that revision.
    file = f"{ref}:{layout.view_file(view.environment, view.name)}"
    return resolve(world, project, file, view.environment, arguments.directory)


def _print_reasons(project: Project, named: Named, arguments: argparse.Namespace) -> int:
    if not arguments.view or named.view is None:
        raise EnvstageError("`--why` tells of a view", where="show", fix="Name it with --view")
    view = project.config.view(arguments.view)
    known = known_reasons(project.state, view.environment, view.name, named.view)
    found = reasons(named.view, view, project.config.source, known)
    if arguments.json:
        print_json([builtins(each) for each in found])
        return OK
    widest = min(max((len(each.subject) for each in found), default=0), 40)
    for each in found:
        print(f"{printable(each.subject):{widest}}  {each.value}  ({printable(each.reason)})")
    left = left_out(named.view, on_disk(project, view.environment).facts)
    print(f"{named.view.selection} view; left out: {plural(left, 'package')} of the environment")
    return OK


def _show_receipt(sealed: Sealed, as_json: bool) -> int:
    """A receipt tells of a run; with --fact or --all, of its environment like any REF."""
    if as_json:
        print_json(builtins(sealed.receipt))
    else:
        print_rows(receipt_rows(sealed, width()))
    return OK


def _overview(named: Named) -> Overview:
    return Overview(
        place=place_of(named),
        facts=named.facts,
        environment=named.snapshot.environment if named.snapshot else "",
        selection=named.view.selection if named.view else "",
        anomalies=named.snapshot.anomalies if named.snapshot else (),
    )


def _print_fact(named: Named, pattern: str, as_json: bool) -> int:
    found = {address: value for address, value in named.facts.items() if covers(pattern, address)}
    if not found:
        raise EnvstageError(
            f"no fact `{pattern}`", where=named.label, fix="`envstage show --all` lists them"
        )
    exact = [value for address, value in found.items() if written(address) == pattern]
    if as_json:
        print_json(encoded(exact[0]) if exact else nested(found))
    elif exact:
        print(_for_scripts(exact[0]))
    else:
        for address, value in sorted(found.items()):
            print(f"{printable(written(address))}: {_for_scripts(value)}")
    return OK


def _for_scripts(value: Value) -> str:
    """A value in full: a digest is not shortened where a script reads it."""
    return _whole(value) if isinstance(value, str) else value_text(value)


def _whole(text: str) -> str:
    return REMOVED if holds_secret(text) else printable(text)
