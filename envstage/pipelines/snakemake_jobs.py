"""Which observation is of which job: jobs have no names of their own.

A `shell:` rule's job is known by the command that the guard was given, which Snakemake records.
The command of a `script:` rule is another one each time: its job is known by its script and its
outputs, which must still be what that job wrote.
"""

import hashlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from envstage.pipelines.snakemake_record import Record
from envstage.snapshot.command_line import redacted
from envstage.snapshot.secrets import REMOVED

_SCRIPT: Final = "script:"
_OPERATORS: Final = frozenset(";&|()<>")
_HASHED_AT_MOST_BYTES: Final = 16 * 1024 * 1024
# What Snakemake records of a script's rule: `script: "train.py"`, or the text alone where that
# stands on a line of its own.
_LITERAL: Final = re.compile(
    r"""\s*(?:(?:script|notebook)\s*:)?\s*(["'])(?P<path>[^"'\n{}]+)\1\s*,?\s*"""
)


def job_of(argv: Sequence[str], code: Sequence[str], outputs: Sequence[str]) -> str:
    """What an observation is kept under."""
    if not code:
        return shlex.join(redacted(argv))
    return f"{_SCRIPT} {shlex.join([os.path.basename(code[0]), *outputs])}"


def digests_of(outputs: Sequence[str], folder: str = "") -> dict[str, str]:
    """What tells whether outputs are still those of a job, by their path."""
    return {each: _digest(os.path.join(folder, each)) for each in outputs}


def made(job: str, record: Record, outputs: Mapping[str, str], folder: str) -> bool:
    """Whether a job is the one of a record.

    Args:
        outputs: digests of the outputs when the job had ended, by path.
        folder: where Snakemake runs.
    """
    try:
        words = shlex.split(job.removeprefix(_SCRIPT))
    except ValueError:  # garbage in the project's state
        return False
    if not job.startswith(_SCRIPT):
        found = (list(redacted(argv)) for argv in _guarded_commands(record.shellcmd))
        # As the guard wrote it down. One of which nothing is left could be any.
        commands = [each for each in found if each != [REMOVED]]
        return any(words == each or words[-1:] == each for each in commands)
    script, written = words[0] if words else "", words[1:]
    literal = _LITERAL.fullmatch(record.code)
    is_script = literal is not None and os.path.basename(literal["path"]) == script
    # The rule may have become a `run:` since, which nobody observes, or run in a container.
    if not is_script or record.image or record.output not in written:
        return False
    return outputs.get(record.output) == _digest(os.path.join(folder, record.output))


def _digest(path: str) -> str:
    try:
        size = os.stat(path).st_size
        if os.path.isdir(path):
            return "folder"
        if size > _HASHED_AT_MOST_BYTES:
            return f"{size} bytes"
        with open(path, "rb") as file:
            return "sha256:" + hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return "not there"


def _guarded_commands(shellcmd: str) -> list[list[str]]:
    """The words behind each guard of a shell command; a `--shell` text is one word."""
    lexer = shlex.shlex(shellcmd, posix=True, punctuation_chars="".join(_OPERATORS))
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return []
    found = []
    for index, word in enumerate(words):
        if word in ("--", "--shell") and "run" in words[:index]:
            rest = words[index + 1 :]
            end = next((i for i, each in enumerate(rest) if set(each) <= _OPERATORS), len(rest))
            found.append(rest[:1] if word == "--shell" else rest[:end])
    return found
