"""A stage's shell command: which interpreter it starts, and the guard before it."""

import re
import shlex
from typing import Final

AUTO: Final = "auto"
CAPTURE: Final = "envstage capture"

_PYTHON: Final = re.compile(r"(?:python|pypy)(?:[0-9]+(?:\.[0-9]+)*)?t?(?:\.exe)?")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
# Options of the guard, each with its value: `${…}` may stand in one, blanks may not.
_GUARD: Final = re.compile(
    r"(?:uv (?:[^;&|<>()\n]* )?)?envstage run (?P<options>--view \S+ (?:(?!-- |--shell )\S+ )*)"
    r"(?P<form>--|--shell) "
)
_RECEIPT: Final = re.compile(r"--receipt[ =](\S+) ")
_BREAKS: Final = ";&|()\n"
# Programs that start the program named after their options (those that take a value: after it).
_PREFIXES: Final = {
    "env": ("-u", "-C"),
    "time": (),
    "nohup": (),
    "exec": (),
    "command": (),
    "nice": ("-n",),
    "timeout": ("-s", "-k"),
}
# Options of `uv` and `uv run` that take a value.
_UV_VALUED: Final = (
    "--extra --no-extra --group --no-group --only-group --env-file --with -w --with-editable "
    "--with-requirements --package --python -p --index --default-index -i --index-url "
    "--extra-index-url -f --find-links --project --directory --config-file --cache-dir "
    "-P --upgrade-package --refresh-package --reinstall-package --index-strategy "
    "--keyring-provider --resolution --prerelease --fork-strategy --exclude-newer "
    "--link-mode --color -C --config-setting --no-build-package --no-binary-package "
    "--python-platform --allow-insecure-host"
)
_RUNNERS: Final = {
    "uv": frozenset(_UV_VALUED.split()),
    "poetry": frozenset({"-C", "--directory", "-P", "--project"}),
    "pdm": frozenset({"-p", "--project"}),
    "pipenv": frozenset[str](),
    "rye": frozenset({"--pyproject"}),
    "conda": frozenset({"-n", "--name", "-p", "--prefix", "--cwd"}),
    "mamba": frozenset({"-n", "--name", "-p", "--prefix", "--cwd"}),
    "micromamba": frozenset({"-n", "--name", "-p", "--prefix", "--cwd", "-r", "--root-prefix"}),
    "pixi": frozenset({"-e", "--environment", "--manifest-path"}),
}
# A shell's own words: a program cannot start them.
_SHELL_WORDS: Final = (
    ". : [ [[ ! { alias break case cd continue declare do done elif else esac eval exec exit "
    "export fi for function if in let local popd pushd read readonly return select set shift "
    "shopt source test then time trap type typeset ulimit umask unalias unset until wait while"
)


def interpreter_of(cmd: str) -> str:
    """The interpreter that a stage's command starts, as the configuration writes it.

    `auto` where that is whatever `python` the PATH gives, or where no interpreter can be read off
    the command; else the words that start it: `.venv/bin/python`, `uv run --extra gpu python`,
    `conda run -n x python`.
    """
    found = python_in(cmd)
    return AUTO if "$" in found or "`" in found else found or AUTO


def python_in(cmd: str) -> str:
    """The words that start the first interpreter of a command; empty if none can be seen."""
    for words in _simple_commands(cmd):
        words = _without_prefixes(words)
        found = _through_runner(words) or _direct(words)
        if found:
            return found
    return ""


def capture_command(python: str) -> str:
    """The command of the environment's stage, given the environment's `python`.

    A stage that runs `uv run …` is preceded by a capture under `uv run`: uv brings the
    environment up to date before it starts anything, and the snapshot must show what results.
    """
    return f"{launcher(python)} capture"


def launcher(python: str) -> str:
    """How envstage is started where an interpreter is started so."""
    is_uv = python.startswith("uv ") and python.endswith(" python")
    return python.removesuffix("python") + "envstage" if is_uv else "envstage"


def guarded(cmd: str, view: str, part: str = "", receipt: str = "") -> str | None:
    """A command under the guard, its meaning kept; nothing where that cannot be done safely.

    A simple command gets a prefix: `envstage run --view train -- python train.py`. With shell
    syntax in it (pipes, `&&`, redirections, assignments, `cd`, several lines, `$(…)`) the whole
    is passed as one word, `--shell '…'`, for the guard to start with the shell that DVC uses
    ($SHELL, or /bin/sh): everything that it starts is then observed. Not with `${…}` in it as
    well: what DVC puts in there may hold quotes.

    Args:
        cmd: the command, or one of a list.
        view: the view's name.
        part: `2/3` for the second command of a list of three; the guard finalises the view
            after the last, from what all of them used.
        receipt: where the guard writes the receipt of the run; empty: nowhere, or where it does.
    """
    core = cmd.strip()
    if not core or is_guarded(core):
        return _with_receipt(cmd, receipt) if core else None
    options = (f"--part {part} " if part else "") + (f"--receipt {receipt} " if receipt else "")
    start = f"{launcher(interpreter_of(core))} run --view {view} {options}"
    if _is_simple(core):
        return cmd.replace(core, f"{start}-- {core}", 1)
    if "${" in core:
        return None
    return cmd.replace(core, f"{start}--shell {shlex.quote(core)}", 1)


def unguarded(cmd: str) -> str:
    """A command without the guard that `guarded` put before it."""
    found = _GUARD.match(cmd.lstrip())
    if found is None:
        return cmd
    rest = cmd.lstrip()[found.end() :]
    if found["form"] == "--":
        return rest
    try:
        words = shlex.split(rest)
    except ValueError:
        return cmd
    tail = rest[len(rest.rstrip("\n")) :]
    return words[0] + tail if len(words) == 1 else cmd


def receipt_in(cmd: str) -> str:
    """Where the guard before a command writes its receipt; empty where it writes none."""
    found = _GUARD.match(cmd.lstrip())
    written = _RECEIPT.search(found["options"]) if found else None
    return written[1] if written else ""


def _with_receipt(cmd: str, receipt: str) -> str:
    """A guarded command that writes a receipt as well."""
    found = _GUARD.search(cmd)
    if not receipt or found is None or receipt_in(cmd):
        return cmd
    place = found.start("form")
    return f"{cmd[:place]}--receipt {receipt} {cmd[place:]}"


def is_guarded(cmd: str) -> bool:
    """Whether the guard stands before a command."""
    return _GUARD.match(cmd.lstrip()) is not None


def _tokens(cmd: str) -> list[str]:
    """Words and operators; a line break is an operator. Nothing if the quotes do not match."""
    lexer = shlex.shlex(cmd.replace("\\\n", " "), posix=True, punctuation_chars=_BREAKS + "<>")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return []


def _is_simple(cmd: str) -> bool:
    tokens = _tokens(cmd)
    if not tokens or "$(" in cmd or "`" in cmd:
        return False
    if any(not token.strip(_BREAKS + "<>") for token in tokens):
        return False
    first = tokens[0]
    return first not in _SHELL_WORDS.split() and "$" not in first and not _ASSIGNMENT.match(first)


def _simple_commands(cmd: str) -> list[list[str]]:
    """The words of each simple command, redirections left out."""
    commands: list[list[str]] = [[]]
    skips = False
    for token in _tokens(cmd):
        if skips:
            skips = False
        elif token.strip(_BREAKS + "<>"):
            commands[-1].append(token)
        elif "<" in token or ">" in token:
            skips = True
        else:
            commands.append([])
    return [words for words in commands if words]


def _without_prefixes(words: list[str]) -> list[str]:
    while words:
        first = words[0]
        if _ASSIGNMENT.match(first):
            words = words[1:]
        elif first in _PREFIXES:
            words = _after_options(words[1:], frozenset(_PREFIXES[first]))[1]
            words = words[1:] if first == "timeout" else words
        else:
            break
    return words


def _after_options(words: list[str], valued: frozenset[str]) -> tuple[list[str], list[str]]:
    """The options that a list of words starts with, and the rest."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        if words[index] == "--":
            return words[:index], words[index + 1 :]
        index += 2 if words[index] in valued else 1
    return words[:index], words[index:]


def _through_runner(words: list[str]) -> str:
    if not words or words[0].rpartition("/")[2] not in _RUNNERS:
        return ""
    valued = _RUNNERS[words[0].rpartition("/")[2]]
    early, rest = _after_options(words[1:], valued)
    if rest[:1] != ["run"]:
        return ""
    options, _ = _after_options(rest[1:], valued)
    kept = [word for word in options if word not in ("-m", "--module", "-s", "--script")]
    return shlex.join([words[0], *early, "run", *kept, "python"])


def _direct(words: list[str]) -> str:
    if not words or not _PYTHON.fullmatch(words[0].rpartition("/")[2]):
        return ""
    return AUTO if words[0] in ("python", "python3") else words[0]
