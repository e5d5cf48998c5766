"""Which programs other than Python a command starts, as far as its words tell.

Nobody can look into those: what they read or use counts as used. `python train.py > log` starts
none, though a shell starts it.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from envstage.observer.started import LAUNCHERS, SHELLS, is_python, program_started

_BETWEEN: Final = frozenset({";", "&&", "||", "|", "&", "|&", ";;"})
_REDIRECTS: Final = re.compile(r"[<>]+[&|]?")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
# What a shell does itself; a word that leads to other commands is not among them.
_BUILTIN: Final = frozenset(
    "cd export set unset umask ulimit true false : echo printf test [ read pwd wait trap".split()
)
_BEFORE: Final = frozenset({"exec", "command", "time", "!"})

# Words of a shell after which other commands stand.
_LEADS_ON: Final = frozenset(
    "if then else elif fi for in do done while until case esac select function { } . source eval "
    "alias builtin let declare local".split()
)


def programs_of(argv: Sequence[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The names of the programs other than Python that a command starts.

    Args:
        argv: a command line; of a shell with `-c`, the text is read. Where the text holds more
            than simple commands (substitutions, loops), the shell itself is such a program.
    """
    name = os.path.basename(argv[0])
    if name in SHELLS and len(argv) > 2 and argv[-2] == "-c":
        commands = _simple_commands(argv[-1])
        if commands is None:
            return frozenset({name})
        return frozenset[str]().union(*(programs_of(each, environ) for each in commands))
    if name in LAUNCHERS - SHELLS:
        leads = any(is_python(os.path.basename(word)) or word.endswith(".py") for word in argv[1:])
        return frozenset() if leads else frozenset({name})
    if name in _BUILTIN:
        return frozenset()
    # Its marks tell a Python, and a console script by its first line.
    marks = program_started(None, list(argv), dict(environ), "", "")[1]
    return frozenset() if "python" in marks else frozenset({name})


def _simple_commands(text: str) -> list[list[str]] | None:
    """The words of each simple command, without assignments and redirections."""
    if "`" in text or "$(" in text or "<<" in text:
        return None
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:
        return None
    if any(_is_unknown(token) for token in tokens):
        return None
    commands = [_words(part) for part in _parts(tokens)]
    known = [words for words in commands if words]
    return None if any(words[0] in _LEADS_ON for words in known) else known


def _is_unknown(token: str) -> bool:
    """Whether a token is an operator beyond those between simple commands."""
    is_operator = bool(token) and not token.strip("();<>|&")
    return is_operator and token not in _BETWEEN and not _REDIRECTS.fullmatch(token)


def _parts(tokens: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for token in tokens:
        if token in _BETWEEN:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _words(part: Sequence[str]) -> list[str]:
    words: list[str] = []
    tokens = iter(part)
    for token in tokens:
        if _REDIRECTS.fullmatch(token):
            if words and words[-1].isdigit():
                words.pop()  # the descriptor of `2> file`
            next(tokens, None)
        elif words or not (_ASSIGNMENT.match(token) or token in _BEFORE):
            words.append(token)
    return words
