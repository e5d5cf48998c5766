"""`context.json`: what one capture saw beside the environment. Nothing may depend on it."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from envstage import __version__
from envstage.project import upward
from envstage.snapshot.canonical import nested
from envstage.snapshot.command_line import redacted
from envstage.snapshot.model import SCHEMA, Facts
from envstage.snapshot.withheld import without_secret_texts
from envstage.world import Started, TimedOut, World

_LOCK_FILES: Final = (
    "conda-lock.yml",
    "environment.yaml",
    "environment.yml",
    "pdm.lock",
    "Pipfile.lock",
    "pixi.lock",
    "poetry.lock",
    "pylock.toml",
    "requirements.txt",
    "uv.lock",
)
_GIT_TIMEOUT_S: Final = 20
_READ_BYTES: Final = 64 * 1024 * 1024


class CodeState(msgspec.Struct, frozen=True, kw_only=True):
    """A question to Git that is being answered while other facts are collected."""

    root: str
    diff: Started | None


def start_code_state(world: World, root: str) -> CodeState:
    """Ask Git what is not committed, our own folder left out (case 20)."""
    argv = diff_command(world, root)
    try:
        return CodeState(root=root, diff=world.start(argv) if argv else None)
    except OSError:
        return CodeState(root=root, diff=None)


def diff_command(world: World, root: str) -> tuple[str, ...]:
    """The command that asks; empty where nobody would answer."""
    git = world.which("git")
    if git is None or _git_folder(root) is None:
        return ()
    return (
        *(git, "-C", root, "-c", "safe.directory=*", "-c", "core.fsmonitor=false"),
        *("diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--binary"),
        *("--", ".", ":(exclude,top)environment", ":(exclude,top)dvc.lock"),
    )


def head_files(root: str) -> tuple[str, ...]:
    """The files that say which commit is checked out, and those that say what is locked."""
    locks = tuple(os.path.join(root, name) for name in _LOCK_FILES)
    # A folder changes with every command of Git's; a file leads a worktree to its own.
    locks += tuple(mark for mark in git_marks(root) if not os.path.isdir(mark))
    git = _git_folder(root)
    if git is None:
        return locks
    head = _line(os.path.join(git, "HEAD"))
    name = _reference(head)
    refs = [
        os.path.join(base, *each.split("/"))
        for base in _bases(git)
        for each in (name, "packed-refs")
    ]
    return (*locks, os.path.join(git, "HEAD"), os.path.join(git, "commondir"), *refs)


def context(
    world: World,
    *,
    environment: str,
    facts: Facts,
    root: str,
    code: Mapping[str, Any],
    origins: Mapping[str, Any],
    problems: Sequence[str],
    argv: Sequence[str],
    duration_ms: int,
) -> dict[str, Any]:
    """The document of one capture."""
    environ = world.environ
    document = {
        "argv": list(redacted(argv)),
        "code": dict(code),
        "dvc_stage": environ.get("DVC_STAGE"),
        "duration_ms": duration_ms,
        "environment": environment,
        "envstage": __version__,
        "host": _host(environ.get("HOSTNAME")),
        "lock_files": _lock_files(root),
        "origins": dict(origins),
        "problems": list(problems),
        "schema": SCHEMA,
        "time": _time(world.time_ns()),
        "user": environ.get("USER") or environ.get("LOGNAME") or environ.get("USERNAME"),
    }
    safe: dict[str, Any] = without_secret_texts(document)
    return safe | {"facts": nested(facts)}


def code_state(code: CodeState) -> dict[str, Any]:
    """Commit, branch, and whether tracked files differ from it (with a digest of the diff)."""
    git = _git_folder(code.root)
    if git is None:
        return {}
    branch, commit = _head(git)
    state: dict[str, Any] = {"branch": branch, "commit": commit, "dirty": None, "diff": None}
    if code.diff is not None:
        try:
            done = code.diff.finish(_GIT_TIMEOUT_S)
        except TimedOut:
            return state
        if done.returncode == 0:
            state["dirty"] = bool(done.stdout)
            digest = hashlib.sha256(done.stdout).hexdigest()
            state["diff"] = f"sha256:{digest}" if done.stdout else None
    return state


def _git_folder(root: str) -> str | None:
    mark = git_marks(root)[-1]
    if not os.path.isfile(mark):
        return mark if os.path.isdir(mark) else None
    target = _line(mark).removeprefix("gitdir:").strip()
    is_path = target.isprintable() and target
    return os.path.join(os.path.dirname(mark), target) if is_path else None


def git_marks(root: str) -> tuple[str, ...]:
    """Where Git's folder, or a file that leads to it, is looked for: up to where it is."""
    marks = [os.path.join(folder, ".git") for folder in upward(root)]
    found = next((place for place, mark in enumerate(marks) if os.path.exists(mark)), len(marks))
    return tuple(marks[: found + 1])


def _head(git: str) -> tuple[str | None, str | None]:
    head = _line(os.path.join(git, "HEAD"))
    if not head.startswith("ref:"):
        return None, _commit(head)
    name = _reference(head)
    if not name:
        return None, None
    branch = name.removeprefix("refs/heads/")
    for base in _bases(git):
        commit = _commit(_line(os.path.join(base, *name.split("/"))))
        if commit:
            return branch, commit
        for line in _text(os.path.join(base, "packed-refs")).splitlines():
            if line.endswith(f" {name}"):
                return branch, _commit(line.partition(" ")[0])
    return branch, None


def _reference(head: str) -> str:
    """The name that HEAD refers to; empty where it would lead out of Git's folder."""
    name = head.removeprefix("ref:").strip() if head.startswith("ref:") else ""
    is_safe = name.startswith("refs/") and name.isprintable() and ".." not in name
    return name if is_safe else ""


def _bases(git: str) -> tuple[str, ...]:
    """Git's folder of a worktree, and the one that all worktrees share."""
    common = _line(os.path.join(git, "commondir"))
    if not common or not common.isprintable():
        return (git,)
    return (git, os.path.join(git, common))


def _commit(text: str) -> str | None:
    return text if re.fullmatch(r"[0-9a-f]{40,64}", text) else None


def _lock_files(root: str) -> dict[str, str]:
    digests = {}
    for name in _LOCK_FILES:
        try:
            with open(os.path.join(root, name), "rb") as file:
                digests[name] = "sha256:" + hashlib.sha256(file.read(_READ_BYTES)).hexdigest()
        except OSError:
            continue
    return digests


def _host(name: str | None) -> str | None:
    return name or (os.uname().nodename if hasattr(os, "uname") else None)


def _time(now_ns: int) -> str:
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_ns // 10**9))


def _line(path: str) -> str:
    return _text(path).split("\n")[0].strip()


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4 * 1024 * 1024)
    except OSError:
        return ""
