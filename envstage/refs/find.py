"""What a REF names: a file or folder, a Git revision, `now`, `-`. Nothing else is executed."""

import os
import sys

import msgspec

from envstage import layout
from envstage.capture.assemble import snapshot_of
from envstage.capture.collect import Capture, collect
from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.snapshot.document import decode
from envstage.snapshot.model import Facts, Level, Snapshot
from envstage.views import document as view_document
from envstage.world import TimedOut, World

NOW = "now"
_GIT_TIMEOUT_S = 30
_LIMIT_BYTES = 64 * 1024 * 1024


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What a REF stands for: facts up to a level, and how to call them."""

    label: str
    level: Level
    facts: Facts
    snapshot: Snapshot | None = None
    view: view_document.ViewDocument | None = None


def resolve(world: World, project: Project, ref: str, environment: str) -> Named:
    """Find the snapshot (or view) that a REF names.

    Args:
        ref: `now` (a fresh capture), `-` (standard input), a file, an `environment/` folder,
            or a Git revision.
        environment: which environment of a revision or of `now`.

    Raises:
        EnvstageError: nothing has that name, or it is no snapshot.
    """
    if ref == NOW:
        return now(world, project, environment)
    if ref == "-":
        return _named(sys.stdin.buffer.read(_LIMIT_BYTES), "standard input")
    path = os.path.join(ref, layout.SNAPSHOT) if os.path.isdir(ref) else ref
    if os.path.isfile(path):
        return _named(_read(path), path)
    return _revision(world, project, ref, layout.file_of(environment, layout.SNAPSHOT))


def now(world: World, project: Project, environment: str) -> Named:
    """A fresh capture of an environment, not written anywhere."""
    return named_capture(project, fresh(world, project, environment))


def fresh(world: World, project: Project, environment: str) -> Capture:
    """Everything that is seen of an environment now."""
    return collect(world, project.root, project.config, project.config.environment(environment))


def named_capture(project: Project, capture: Capture) -> Named:
    """A capture as a REF names it."""
    snapshot = snapshot_of(capture, project.config)
    return Named(label=NOW, level=snapshot.level, facts=snapshot.facts, snapshot=snapshot)


def on_disk(project: Project, environment: str) -> Named:
    """The snapshot in the working tree."""
    where = layout.file_of(environment, layout.SNAPSHOT)
    try:
        data = _read(project.path(where))
    except FileNotFoundError:
        raise EnvstageError(
            "there is no snapshot yet", where=where, fix="Run `envstage capture` or `dvc repro`"
        ) from None
    return _named(data, where)


def _named(data: bytes, where: str) -> Named:
    if b'"selection"' in data and b'"fingerprint"' not in data:
        view = view_document.decode(data, where)
        return Named(label=where, level=view.level, facts=view.facts, view=view)
    snapshot = decode(data, where)
    return Named(label=where, level=snapshot.level, facts=snapshot.facts, snapshot=snapshot)


def _revision(world: World, project: Project, revision: str, file: str) -> Named:
    git = world.which("git")
    if git is None or revision.startswith("-"):
        raise _nothing(revision)
    # `:./` is relative to -C, wherever the repository's top is.
    argv = (git, "-C", project.root, "show", f"{revision}:./{file}")
    try:
        done = world.run(argv, timeout_s=_GIT_TIMEOUT_S)
    except (OSError, TimedOut):
        raise _nothing(revision) from None
    if done.returncode == 0:
        return _named(done.stdout, f"{revision}:{file}")
    verify = (git, "-C", project.root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if world.run(verify, timeout_s=_GIT_TIMEOUT_S).returncode == 0:
        raise EnvstageError(
            f"there is no {file} in this revision",
            where=revision,
            fix="Name a later one: `git log -- environment` lists those that changed it",
        )
    raise _nothing(revision)


def _nothing(ref: str) -> EnvstageError:
    return EnvstageError(
        "names neither a file nor a Git revision",
        where=ref,
        fix="Give a snapshot's path, a commit, branch or tag, or `now`",
    )


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_LIMIT_BYTES)
