"""`context.json`: what one capture saw beside the environment. Nothing may depend on it."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from envstage import __version__
from envstage.snapshot.canonical import nested
from envstage.snapshot.model import SCHEMA, Facts
from envstage.snapshot.secrets import is_secret_value, without_secrets
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
    git = world.which("git")
    if git is None or _git_folder(root) is None:  # nobody would wait for the answer
        return CodeState(root=root, diff=None)
    argv = (
        *(git, "-C", root, "-c", "safe.directory=*", "-c", "core.fsmonitor=false"),
        *("diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--binary"),
        *("--", ".", ":(exclude,top)environment", ":(exclude,top)dvc.lock"),
    )
    try:
        return CodeState(root=root, diff=world.start(argv))
    except OSError:
        return CodeState(root=root, diff=None)


def context(
    world: World,
    *,
    environment: str,
    facts: Facts,
    code: CodeState,
    origins: Mapping[str, Any],
    problems: Sequence[str],
    argv: Sequence[str],
    duration_ms: int,
) -> dict[str, Any]:
    """The document of one capture."""
    environ = world.environ
    return {
        "argv": [_argument(each) for each in argv],
        "code": code_state(code),
        "dvc_stage": environ.get("DVC_STAGE"),
        "duration_ms": duration_ms,
        "environment": environment,
        "envstage": __version__,
        "facts": nested(facts),
        "host": _host(environ.get("HOSTNAME")),
        "lock_files": _lock_files(code.root),
        "origins": dict(origins),
        "problems": list(problems),
        "schema": SCHEMA,
        "time": _time(world.time_ns()),
        "user": environ.get("USER") or environ.get("LOGNAME") or environ.get("USERNAME"),
    }


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
    folder = root
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return git
        if os.path.isfile(git):
            target = _line(git).removeprefix("gitdir:").strip()
            return os.path.join(folder, target) if target else None
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)


def _head(git: str) -> tuple[str | None, str | None]:
    head = _line(os.path.join(git, "HEAD"))
    if not head.startswith("ref:"):
        return None, head or None
    name = head.removeprefix("ref:").strip()
    branch = name.removeprefix("refs/heads/")
    common = _line(os.path.join(git, "commondir"))
    for base in (git, os.path.join(git, common) if common else git):
        commit = _line(os.path.join(base, *name.split("/")))
        if commit:
            return branch, commit
        for line in _text(os.path.join(base, "packed-refs")).splitlines():
            if line.endswith(f" {name}"):
                return branch, line.partition(" ")[0]
    return branch, None


def _lock_files(root: str) -> dict[str, str]:
    digests = {}
    for name in _LOCK_FILES:
        try:
            with open(os.path.join(root, name), "rb") as file:
                digests[name] = "sha256:" + hashlib.sha256(file.read(_READ_BYTES)).hexdigest()
        except OSError:
            continue
    return digests


def _argument(text: str) -> str:
    """An argument without what could be a secret (case 20)."""
    if "://" in text:
        return without_secrets(text)
    return "(removed)" if is_secret_value(text) else text


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
