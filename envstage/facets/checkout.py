"""What a local Git checkout says of itself: where others find it, its commit, its edits."""

import hashlib
import os
import re
from typing import Final

import msgspec

from envstage.snapshot.secrets import without_secrets
from envstage.world import TimedOut, World

# Python and its builds leave these behind in a checkout that nobody edited.
_IDLE: Final = re.compile(r"(?:^|/)(?:__pycache__|build|[^/]+\.egg-info)/")
_TIMEOUT_S: Final = 20
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_REMOTE: Final = re.compile(r'(?ms)^\[remote "([^"\n]+)"\]\s*$(.*?)(?=^\[|\Z)')
_URL: Final = re.compile(r"(?m)^\s*url\s*=\s*(\S+)\s*$")
# `git@host:owner/name`, which pip knows as `ssh://git@host/owner/name`.
_SCP: Final = re.compile(r"(?:([\w.-]+)@)?([\w.-]+\.[\w.-]+):(?!//)(.+)")


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a checkout; all empty where the folder is in none.

    Attributes:
        url: `git+https://…` of the remote that others can reach.
        changes: the digest of what differs from the commit, files that Git does not know
            included; None where nothing does.
    """

    url: str | None = None
    commit: str | None = None
    subdirectory: str | None = None
    changes: str | None = None


def checkout_of(world: World, folder: str) -> Checkout:
    """Ask Git about the checkout that a folder lies in."""
    top = _git(world, folder, "rev-parse", "--show-toplevel")
    commit = _git(world, folder, "rev-parse", "HEAD")
    if top is None or commit is None or not _COMMIT.fullmatch(commit):
        return Checkout()
    inner = os.path.relpath(os.path.realpath(folder), os.path.realpath(top))
    remote = remote_of(world, top)
    return Checkout(
        url=f"git+{remote}" if remote else None,
        commit=commit,
        subdirectory=None if inner == "." else inner.replace(os.sep, "/"),
        changes=_changes(world, folder),
    )


def remote_of(world: World, repository: str) -> str | None:
    """The URL of the remote of a repository on this machine that other machines can reach."""
    for file in (".git/config", "config"):
        try:
            text = world.read(os.path.join(repository, file)).decode("utf-8", "replace")
        except OSError:
            continue
        sections = sorted(_REMOTE.findall(text), key=lambda each: (each[0] != "origin", each[0]))
        found = (_URL.search(body) for _, body in sections)
        urls = [_shared(match[1]) for match in found if match]
        return next((url for url in urls if url), None)
    return None


def _shared(url: str) -> str | None:
    match = _SCP.fullmatch(url)
    if match and "://" not in url:
        url = f"ssh://{match[1] or 'git'}@{match[2]}/{match[3]}"
    return without_secrets(url) if re.match(r"(?:https?|ssh|git)://", url) else None


def _changes(world: World, folder: str) -> str | None:
    options = ("--no-ext-diff", "--no-textconv", "--no-color", "--binary")
    diff = _git(world, folder, "diff", "HEAD", *options, "--", ".")
    others = _git(world, folder, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    digest = hashlib.sha256((diff or "").encode("utf-8", "surrogateescape"))
    names = [name for name in (others or "").split("\0") if name and not _IDLE.search(name)]
    for name in names:
        try:
            content = hashlib.sha256(world.read(os.path.join(folder, name))).hexdigest()
        except OSError:
            content = "unreadable"
        digest.update(f"\n{name}\0{content}".encode("utf-8", "surrogateescape"))
    return f"sha256:{digest.hexdigest()}" if diff or names else None


def _git(world: World, folder: str, *words: str) -> str | None:
    git = world.which("git")
    if git is None:
        return None
    # A checkout of another user's is read, never trusted: no hooks, no monitors (case 20).
    argv = (git, "-C", folder, "-c", "safe.directory=*", "-c", "core.fsmonitor=false", *words)
    try:
        done = world.run(argv, timeout_s=_TIMEOUT_S)
    except (OSError, TimedOut):
        return None
    text = done.stdout.decode("utf-8", "surrogateescape").strip("\n")
    return text if done.returncode == 0 else None
