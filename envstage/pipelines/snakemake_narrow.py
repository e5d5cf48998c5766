"""Narrow a view that the jobs of a workflow share to what all of them were seen to use."""

import hashlib
import os
import shlex
from collections.abc import Sequence
from typing import Final

from envstage import layout
from envstage.capture.engine import as_called
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.snakemake_accept import settle_records
from envstage.pipelines.snakemake_history import outputs_of
from envstage.pipelines.snakemake_record import Record, read_entry, record_path, records
from envstage.project import Project
from envstage.runs.finalise import collected
from envstage.runs.narrow import Narrowed, narrow
from envstage.world import World

_OPERATORS: Final = frozenset(";&|()<>")


def view_of_rule(project: Project, rule: str) -> View | None:
    """The view that a rule depended on when it ran last; None where it ran never, or on none."""
    files = {layout.view_file(each.environment, each.name): each for each in project.config.views}
    for record in records(project.root):
        if record.rule == rule:
            for path in record.input:
                if path in files:
                    return files[path]
    return None


def narrow_view(world: World, project: Project, view: View) -> Narrowed:
    """Rewrite a view with the union of what its jobs used; nothing reruns.

    Raises:
        EnvstageError: a job was not observed, or ran in another environment than this one.
    """
    outputs = outputs_of(project, view)
    file = layout.view_file(view.environment, view.name)
    path = project.path(file)
    with open(path, "rb") as opened:
        content = opened.read()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(content).hexdigest()
    kept = collected(project, view.environment, view.name).all()
    instances: dict[str, str] = {}
    for each in outputs:
        name = _observed(project, each, list(kept))
        is_current = each.checksums.get(file) == sha256
        instances[name] = instances.get(name, md5) if is_current else ""
    stat = os.stat(path)
    done = narrow(as_called(world), project, view, list(instances.items()))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    settle_records(project, view, outputs)
    return done


def _observed(project: Project, record: Record, names: Sequence[str]) -> str:
    """The observation of the job that made an output: by the command that the guard was given."""
    entry = read_entry(record_path(project.root, record.output)) or {}
    commands = _guarded_commands(str(entry.get("shellcmd") or ""))
    for name in names:
        words = shlex.split(name)
        if any(words == each or words[-1:] == each for each in commands):
            return name
    raise EnvstageError(
        "the job that made it was not observed",
        where=record.output,
        fix=f"Put `envstage run --view … --` before the command of {record.rule}, and run it",
    )


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
