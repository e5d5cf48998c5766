"""`envstage show [REF]`: a snapshot or view, as people read it."""

import argparse

from envstage import layout
from envstage.cli.output import print_json
from envstage.errors import OK, EnvstageError
from envstage.project import open_project
from envstage.refs import Named, on_disk, resolve
from envstage.snapshot.canonical import encoded, nested
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import covers, written
from envstage.snapshot.words import printable, value_text
from envstage.world import Machine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.add_argument(
        "ref", nargs="?", metavar="REF", help="a file, a Git revision, `now`, `-` (default: disk)"
    )
    parser.add_argument("-e", "--environment", default=layout.MAIN, metavar="NAME")
    parser.add_argument("--view", metavar="NAME", help="show this view instead of the snapshot")
    parser.add_argument("--fact", metavar="ADDRESS", help="print one fact, or one group of facts")
    parser.add_argument("--json", action="store_true", help="the facts as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    project = open_project(arguments.directory)
    environment = arguments.environment
    if arguments.view and not arguments.ref:
        view = project.config.view(arguments.view)
        arguments.ref = project.path(layout.view_file(view.environment, view.name))
    if arguments.ref:
        named = resolve(Machine(), project, arguments.ref, environment)
    else:
        named = on_disk(project, environment)
    if arguments.fact:
        return _print_fact(named, arguments.fact, arguments.json)
    if arguments.json:
        print_json({"facts": nested(named.facts), "level": named.level.word, "ref": named.label})
    else:
        print(text_of(named))
    return OK


def _print_fact(named: Named, pattern: str, as_json: bool) -> int:
    found = {address: value for address, value in named.facts.items() if covers(pattern, address)}
    if not found:
        raise EnvstageError(
            f"no fact `{pattern}`", where=named.label, fix="`envstage show` lists them"
        )
    if as_json:
        exact = [value for address, value in found.items() if written(address) == pattern]
        print_json(encoded(exact[0]) if exact else nested(found))
    elif len(found) == 1:
        print(value_text(next(iter(found.values()))))
    else:
        for address, value in sorted(found.items()):
            print(f"{printable(written(address))}: {value_text(value)}")
    return OK


def text_of(named: Named) -> str:
    """The facts, facet by facet; packages one a line with version and build."""
    lines = [_title(named)]
    facets = sorted({address[0] for address in named.facts})
    for facet in facets:
        lines += ["", facet]
        rows = _rows(named, facet)
        width = min(max((len(name) for name, _ in rows), default=0), 40)
        lines += [f"  {name:{width}}  {text}" for name, text in rows]
    if named.snapshot is not None and named.snapshot.anomalies:
        lines += ["", "anomalies", *(f"  {printable(each)}" for each in named.snapshot.anomalies)]
    return "\n".join(lines)


def _title(named: Named) -> str:
    if named.snapshot is None:
        return f"view {printable(named.label)}, level {named.level.word}"
    fingerprint = snapshot_fingerprint(named.snapshot)[:14]
    name = named.snapshot.environment
    return f"environment {name}: {fingerprint}, level {named.level.word} ({printable(named.label)})"


def _rows(named: Named, facet: str) -> list[tuple[str, str]]:
    grouped: dict[str, list[str]] = {}
    for address, value in sorted(named.facts.items()):
        if address[0] != facet:
            continue
        if facet in ("packages", "conda", "tools") and len(address) == 3:
            text = value_text(value)
            is_version = address[2] == "version"
            cells = grouped.setdefault(address[1], [])
            if is_version:
                cells.insert(0, text)
            elif address[2] not in ("tags", "installer"):
                cells.append(f"{address[2]} {text}")
        else:
            grouped[".".join(address[1:])] = [value_text(value)]
    return [(printable(name), "  ".join(cells)) for name, cells in grouped.items()]
