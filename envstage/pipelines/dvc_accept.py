"""Make DVC take a stage as up to date without running it: only where nothing but its
environment changed, and on record."""

import json
import os
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from envstage import layout
from envstage.compare.differences import Difference
from envstage.compare.render import as_json
from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.snapshot.canonical import canonical, parsed
from envstage.snapshot.document import LIMIT_BYTES
from envstage.snapshot.files import write
from envstage.snapshot.secrets import without_secret_words
from envstage.world import Completed, TimedOut, World

RECORD: Final = f"{layout.FOLDER}/accepted.json"
_TIMEOUT_S: Final = 3600


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """That a difference is harmless: which, for which stage, who says so and why."""

    stage: str
    why: str
    old: str
    new: str
    differences: tuple[Difference, ...]


def other_changes(
    world: World, project: Project, stages: Sequence[str], view_files: Sequence[str]
) -> tuple[str, ...]:
    """What DVC finds changed in the given stages beside their views, in its words."""
    done = _dvc(world, project, "status", "--json", *stages)
    try:
        status = json.loads(done.stdout or b"{}")
    except ValueError:
        raise _failed("status", done) from None
    found = []
    for stage, changes in status.items():
        for change in changes:
            found += [f"{stage}: {text}" for text in _texts(change, view_files)]
    return tuple(found)


def commit(
    world: World,
    project: Project,
    stages: Sequence[str],
    acceptances: Sequence[Acceptance],
) -> None:
    """Put the acceptances on record, and have DVC take the stages as they are."""
    done = _dvc(world, project, "commit", "-q", "-f", *stages)
    if done.returncode != 0:
        raise _failed("commit", done)
    put_on_record(world, project, acceptances)


def put_on_record(world: World, project: Project, acceptances: Sequence[Acceptance]) -> None:
    """Say who takes which difference for harmless, and why: for all who have the repository."""
    entries = read_record(project)
    who = _author(world, project)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(world.time_ns() // 10**9))
    entries += [
        {
            "stage": each.stage,
            "from": each.old,
            "to": each.new,
            "why": without_secret_words(each.why),
            "who": without_secret_words(who),
            "when": now,
            "differences": as_json(each.differences),
        }
        for each in acceptances
    ]
    write(project.path(RECORD), canonical(entries))


def read_record(project: Project) -> list[dict[str, Any]]:
    """The acceptances so far, the oldest first.

    Raises:
        EnvstageError: the file is damaged.
    """
    try:
        with open(project.path(RECORD), "rb") as file:
            entries = parsed(file.read(LIMIT_BYTES))
        if not isinstance(entries, list):
            raise ValueError("it is no list")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise EnvstageError(
            f"cannot be read ({error})", where=RECORD, fix="Restore it from Git"
        ) from None
    return [entry for entry in entries if isinstance(entry, dict)]


def _texts(change: Any, view_files: Sequence[str]) -> list[str]:
    """The changes of one entry of `dvc status --json` that are not a view's."""
    if isinstance(change, str):
        return [] if change == "always changed" else [change]
    texts = []
    for kind, paths in change.items() if isinstance(change, dict) else ():
        for path, state in paths.items() if isinstance(paths, dict) else ():
            if kind == "changed deps" and str(path).replace(os.sep, "/") in view_files:
                continue
            texts.append(f"{path} is {state} ({kind})")
    return texts


def _author(world: World, project: Project) -> str:
    git = world.which("git")
    if git is None:
        return ""
    done = world.run((git, "-C", project.root, "var", "GIT_AUTHOR_IDENT"), timeout_s=30)
    return os.fsdecode(done.stdout).partition("<")[0].strip() if done.returncode == 0 else ""


def _dvc(world: World, project: Project, *arguments: str) -> Completed:
    dvc = world.which("dvc")
    if dvc is None:
        raise EnvstageError("`dvc` is not on PATH", fix="Activate the environment that has it")
    try:
        # DVC takes its repository from the working directory.
        return world.start((dvc, *arguments), cwd=project.root).finish(_TIMEOUT_S)
    except TimedOut:
        raise EnvstageError(f"`dvc {arguments[0]}` did not end") from None


def _failed(command: str, done: Completed) -> EnvstageError:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = without_secret_words(lines[0]) if lines else f"exit code {done.returncode}"
    return EnvstageError(f"`dvc {command}` failed: {reason}")
