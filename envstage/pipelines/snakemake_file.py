"""A Snakefile as text: where its rules stand, what they are called and what they do."""

import io
import os
import tokenize
from collections.abc import Iterator
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.pipelines.plan import Draft

# Where Snakemake looks, in this order.
NAMES: Final = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
# What must not stand before the provided rule: it may be meant for what follows.
_FIRST: Final = ("rule", "checkpoint", "module", "use", "include")
_ACTIONS: Final = ("shell", "script", "notebook", "run", "wrapper", "cwl")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a Snakefile.

    Attributes:
        action: `shell`, `script`, `notebook`, `run`, …; empty for a rule that only collects.
        has_wildcards: whether a `{` stands in its outputs.
        inputs: the texts in its `input:`.
        is_guarded: whether the guard stands in its shell command.
    """

    name: str
    file: str
    action: str
    has_wildcards: bool
    inputs: tuple[str, ...]
    is_guarded: bool = False


def require_snakefile(draft: Draft) -> str:
    """The path of the workflow's Snakefile.

    Raises:
        EnvstageError: there is none.
    """
    for name in NAMES:
        if draft.read(name) is not None:
            return name
    raise EnvstageError(
        "there is no Snakefile here", where=draft.root, fix="Run this where Snakemake is run"
    )


def all_rules(draft: Draft, file: str) -> tuple[Rule, ...]:
    """The rules of a Snakefile and of the files that it includes by a plain text."""
    found: list[Rule] = []
    todo, seen = [file], {file}
    while todo:
        file = todo.pop(0)
        statements = list(_statements(draft.read(file) or "", file))
        found += [_rule(each, file) for each in statements if each.word in ("rule", "checkpoint")]
        for each in statements:
            path = os.path.normpath(os.path.join(os.path.dirname(file), "".join(each.texts[:1])))
            is_there = each.word == "include" and len(each.texts) == 1
            if is_there and path not in seen and draft.read(path) is not None:
                seen.add(path)
                todo.append(path)
    return tuple(found)


def place_of_rules(text: str, file: str) -> int:
    """The offset of the line before which the provided rule belongs: the first rule's.

    Before the comments that stand directly above it, and before an `if` around it.
    """
    lines = text.splitlines(keepends=True)
    first = next((each.line for each in _statements(text, file) if each.word in _FIRST), None)
    if first is None:
        return len(text)
    row = first - 1
    while row > 0 and lines[row][:1] in (" ", "\t", "\r", "\n"):
        row -= 1
    while row > 0 and lines[row - 1].startswith("#"):
        row -= 1
    if row == 0 and lines[0].startswith("#!"):
        row = 1
    return len("".join(lines[:row]))


class _Statement(msgspec.Struct):
    word: str
    line: int
    name: str = ""
    directives: dict[str, list[str]] = {}
    texts: list[str] = []


def _statements(text: str, file: str) -> Iterator[_Statement]:
    """The statements of Snakemake's language, with the texts in them."""
    current: _Statement | None = None
    directive = ""
    for first, second, texts, column in _logical_lines(text, file):
        word = first.string
        is_keyword = word in _FIRST and second is not None and second.string != "="
        if is_keyword:
            if current is not None:
                yield current
            current = _Statement(word, first.start[0])
            current.directives, current.texts = {}, texts
            if second is not None and second.type == tokenize.NAME:
                current.name = second.string
            directive = ""
            start = column
        elif current is not None and column > start:
            if second is not None and second.string == ":" and first.type == tokenize.NAME:
                directive = word
                current.directives.setdefault(directive, [])
            current.directives.setdefault(directive, []).extend(texts)
        elif current is not None:
            yield current
            current = None
    if current is not None:
        yield current


_Line = tuple[tokenize.TokenInfo, tokenize.TokenInfo | None, list[str], int]


def _logical_lines(text: str, file: str) -> Iterator[_Line]:
    line: list[tokenize.TokenInfo] = []
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
                if line:
                    texts = [_inner(each.string) for each in line if each.type == tokenize.STRING]
                    yield line[0], line[1] if len(line) > 1 else None, texts, line[0].start[1]
                line = []
            elif token.type not in skipped:
                line.append(token)
    except (tokenize.TokenError, SyntaxError) as error:
        raise EnvstageError(f"cannot be understood: {error.args[0]}", where=file) from None


def _inner(literal: str) -> str:
    return literal.lstrip("rRbBuUfF").strip("\"'")


def _rule(statement: _Statement, file: str) -> Rule:
    directives = statement.directives
    return Rule(
        name=statement.name,
        file=file,
        action=next((word for word in _ACTIONS if word in directives), ""),
        has_wildcards=any("{" in text for text in directives.get("output", ())),
        inputs=tuple(directives.get("input", ())),
        is_guarded=any("envstage run " in text for text in directives.get("shell", ())),
    )
