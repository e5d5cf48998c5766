"""The report of a proof: JSON for programs, Markdown for people and pull requests."""

import re
from typing import Any

from envstage.compare.render import as_json as differences_as_json
from envstage.recreate.prove import Proof
from envstage.recreate.words import counts, reason
from envstage.snapshot.canonical import canonical
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import written
from envstage.snapshot.words import printable, value_text


def document(proof: Proof) -> dict[str, Any]:
    """The report as a document."""
    rebuilt = proof.rebuilt
    return {
        "environment": proof.snapshot.environment,
        "fingerprint": snapshot_fingerprint(proof.snapshot),
        "packages": [
            {"name": each.name, "reason": reason(rebuilt, each), "verdict": each.verdict.value}
            for each in rebuilt.judged
        ],
        "proven": proof.is_proven,
        "python": rebuilt.interpreter.version,
        "revision": proof.revision,
        "scores": {each.kind: {"same": each.same, "total": each.total} for each in proof.scores},
        "views": [
            {
                "differences": differences_as_json(view.differences),
                "name": view.name,
                "reproduced": view.is_reproduced,
            }
            for view in proof.views
        ],
    }


def as_bytes(proof: Proof) -> bytes:
    """The JSON report."""
    return canonical(document(proof))


def markdown(proof: Proof) -> str:
    """The report for people."""
    head = "reproduced" if proof.is_proven else "not reproduced"
    lines = [
        f"# Environment {_cell(proof.snapshot.environment)}: {head}",
        "",
        f"Rebuilt from nothing but commit `{proof.revision}`, in a clean folder with an empty "
        f"HOME. Snapshot `{snapshot_fingerprint(proof.snapshot)[:14]}`: "
        f"{counts(proof.rebuilt.judged)}.",
        "",
        "| view | reproduced | what differs |",
        "| --- | --- | --- |",
    ]
    for view in proof.views:
        names = [written(each.address) for each in view.differences[:5]]
        more = len(view.differences) - len(names)
        text = ", ".join(names) + (f" and {more} more" if more > 0 else "")
        word = "yes" if view.is_reproduced else "**no**"
        lines.append(f"| {_cell(view.name)} | {word} | {_cell(text)} |")
    lines += ["", "| facts | as they were |", "| --- | --- |"]
    lines += [f"| {each.kind} | {each.text} |" for each in proof.scores]
    return "\n".join([*lines, *_wrong(proof), *_machine(proof)]) + "\n"


def _wrong(proof: Proof) -> list[str]:
    wrong = [each for each in proof.rebuilt.judged if not each.verdict.is_good]
    if not wrong:
        return []
    rows = [f"| {each.name} | {_cell(reason(proof.rebuilt, each))} |" for each in wrong]
    return ["", "## Packages", "", "| package | why it is not as it was |", "| --- | --- |", *rows]


def _machine(proof: Proof) -> list[str]:
    if not proof.rebuilt.elsewhere:
        return []
    head = ["", "## This machine", "", "| fact | here | there | what to do |"]
    rows = [
        f"| {_cell(written(each.address))} | {_cell(value_text(each.found))} "
        f"| {_cell(value_text(each.wanted))} | {_cell(each.advice)} |"
        for each in proof.rebuilt.elsewhere
    ]
    return [*head, "| --- | --- | --- | --- |", *rows]


def _cell(text: str) -> str:
    """A text that Markdown leaves alone and that stays in its cell (case 26)."""
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", printable(text))
