"""A comparison as Markdown: a table for a pull request.

Every text that comes from an environment stands in code: there it is neither markup, nor a link,
nor a mention of somebody, nor the end of a table's cell.
"""

import re
from collections.abc import Iterator
from typing import Final

from envstage.compare.changes import Change
from envstage.compare.differences import Kind
from envstage.compare.report import Report
from envstage.compare.text import silence_lines, words_of
from envstage.snapshot.words import printable, value_text

# What may stand between backticks as it is. Anything else is written as numeric references,
# which are never markup (CommonMark 2.5), within an HTML element instead.
_HARMLESS: Final = re.compile(r"[\w .,:;+=/()@~#%^*!?→…'\"-]*")
_WORDS: Final = re.compile(r"[a-z ,]*")
_REFERRED: Final = re.compile(r"[^A-Za-z0-9 ]")


def markdown(report: Report) -> str:
    """The comparison as a table, with what follows from it."""
    return "\n".join(_lines(report)) + "\n"


def code(text: str) -> str:
    """A text as code, which cannot end where it stands."""
    shown = printable(text)
    if not shown:
        return ""
    if _HARMLESS.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{_REFERRED.sub(lambda match: f'&#{ord(match[0])};', shown)}</code>"


def _lines(report: Report) -> Iterator[str]:
    title = f"{code(report.a.label)} → {code(report.b.label)}"
    found = report.changes
    if not found:
        yield f"**Environment** {title}: no difference."
    else:
        noun = "change" if len(found) == 1 else "changes"
        yield f"**Environment** {title}: {len(found)} {noun}."
        yield ""
        yield "| | Facet | What | Before | After | Change |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for change in found:
            yield _row(change)
    if report.views:
        views = ", ".join(code(view.name) for view in report.views)
        stages = ", ".join(code(stage) for stage in report.stages)
        yield ""
        noun = "Views that see" if len(report.views) > 1 else "View that sees"
        yield f"{noun} this: {views}." + (f" Would run again: {stages}." if stages else "")
    for line in silence_lines(report):
        yield ""
        yield f"<sub>{_quoted(line)}</sub>"


def _row(change: Change) -> str:
    sign = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~", Kind.INCOMPARABLE: "?"}
    before = "" if change.kind is Kind.ADDED or change.words else code(value_text(change.old))
    after = "" if change.kind is Kind.REMOVED or change.words else code(value_text(change.new))
    cells = [sign[change.kind], code(change.facet), code(change.name), before, after]
    words = words_of(change)
    return "| " + " | ".join([*cells, words if _WORDS.fullmatch(words) else code(words)]) + " |"


def _quoted(text: str) -> str:
    """A sentence with names in it: everything that could be markup as a numeric reference."""
    return re.sub(r"[^\w .,:()]", lambda match: f"&#{ord(match[0])};", printable(text))
