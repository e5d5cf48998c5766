"""A page to read: what a snapshot says, as tables. For `snakemake --report`, and for people.

Everything that comes from the machine is escaped. No script, nothing loaded from elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from envstage.export.artifacts import Artifacts
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Facts, Snapshot, Value
from envstage.snapshot.words import printable, value_text

ID: Final = "html"
NEEDS_ARTIFACTS: Final = False

# By the first word of their addresses, in the order in which people ask.
_SECTIONS: Final[Mapping[str, str]] = {
    "python": "Interpreter",
    "packages": "Packages",
    "conda": "Conda packages",
    "hardware": "Hardware",
    "system": "System",
    "variables": "Variables",
    "tools": "Tools",
}
_NAMED: Final = ("packages", "conda", "tools")
# Long, and told by the build.
_LEFT_OUT: Final = ("tags",)
_STYLE: Final = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:2px 16px 2px 0;border-bottom:1px solid #8884;"
    "overflow-wrap:anywhere}th{font-weight:600}h2{margin:1.5em 0 .3em;font-size:1.1em}"
    "code{font-family:ui-monospace,monospace}"
)


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The page, whole."""
    del artifacts
    fingerprint = snapshot_fingerprint(snapshot)
    title = f"Environment {_text(snapshot.environment)}"
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="envstage-fingerprint" content="{_text(fingerprint)}">',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f"<p><code>{_text(fingerprint)}</code>, level {_text(snapshot.level.word)}</p>",
    ]
    for key, heading in _headings(snapshot.facts):
        lines += _section(heading, list(_rows(key, snapshot.facts)))
    lines += _section("Anomalies", [(each,) for each in snapshot.anomalies])
    return "\n".join([*lines, "</body></html>"]) + "\n"


def fingerprint_in(page: str) -> str:
    """The fingerprint of the snapshot that a page shows; empty where it is no page of ours."""
    _, found, rest = page.partition('<meta name="envstage-fingerprint" content="')
    return rest.partition('"')[0] if found else ""


def _headings(facts: Facts) -> Iterator[tuple[str, str]]:
    there = {address[0] for address in facts}
    yield from ((key, heading) for key, heading in _SECTIONS.items() if key in there)
    yield from ((key, key.capitalize()) for key in sorted(there - _SECTIONS.keys()))


def _rows(key: str, facts: Facts) -> Iterator[tuple[str, ...]]:
    """Name, version and the rest of what has a name; address and value of all else."""
    own = {address[1:]: value for address, value in sorted(facts.items()) if address[0] == key}
    if key not in _NAMED:
        yield from ((".".join(rest), value_text(value)) for rest, value in own.items())
        return
    for name in dict.fromkeys(rest[0] for rest in own):
        more = {rest[1:]: value for rest, value in own.items() if rest[0] == name}
        version = more.pop(("version",), None)
        yield (
            name,
            _shown(version),
            "; ".join(
                f"{'.'.join(rest)} {_shown(value)}"
                for rest, value in more.items()
                if rest and rest[-1] not in _LEFT_OUT
            ),
        )


def _shown(value: Value) -> str:
    return "" if value is None else value_text(value)


def _section(heading: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    count = f" ({len(rows)})" if len(rows) > 1 else ""
    body = (
        f"<tr><th>{_text(row[0])}</th>{''.join(f'<td>{_text(cell)}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    return [f"<h2>{_text(heading)}{count}</h2>", "<table>", *body, "</table>"]


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
