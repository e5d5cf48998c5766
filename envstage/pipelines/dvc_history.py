"""The views of a stage's runs: found through dvc.lock, the archive and Git. Executes only Git."""

import hashlib
import os
import posixpath
from collections.abc import Iterator
from typing import Final

import msgspec
import yaml

from envstage import layout
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.dvc_usage import LOCK_FILE, Locked, Usage, locked_in, locked_users, users_of
from envstage.project import Project
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.document import ViewDocument
from envstage.world import TimedOut, World

_REVISIONS: Final = 300
_GIT_TIMEOUT_S: Final = 30


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The last run of a stage, by the view that it depended on; None where nobody has it."""

    address: str
    md5: str
    view: ViewDocument | None


def tracked(world: World, project: Project, stage: str) -> tuple[View, Usage]:
    """The view that a stage depends on.

    Args:
        stage: its address; an instance (`train@a`) stands for its template.

    Raises:
        EnvstageError: no stage of that name depends on a view.
    """
    name = stage.partition("@")[0]
    known = []
    for view in project.config.views:
        for usage in users_of(world, project.root, _file(view)):
            if usage.address == name:
                return view, usage
            known.append(usage.address)
    listed = ", ".join(sorted(set(known))) or "none"
    raise EnvstageError(
        f"no stage `{stage}` depends on a view (tracked: {listed})",
        where="dvc.yaml",
        fix=f"Run `envstage track {name}`",
    )


def last_runs(world: World, project: Project, view: View, usage: Usage) -> tuple[Run, ...]:
    """The last run of a stage, or of each of its instances, as dvc.lock has it."""
    return tuple(
        Run(address=each.address, md5=each.view_md5, view=view_of(world, project, view, each))
        for each in locked_users(project.root, (usage,))
    )


def run_before(world: World, project: Project, view: View, usage: Usage, run: Run) -> Run | None:
    """The run before the last that depended on another view, by the commits of dvc.lock."""
    lock = posixpath.join(posixpath.dirname(usage.file), LOCK_FILE)
    for revision in _lines(world, project, "log", f"-n{_REVISIONS}", "--format=%H", "--", lock):
        for locked in _locked_at(world, project, f"{revision}:./{lock}", usage):
            if locked.address == run.address and locked.view_md5 != run.md5:
                found = view_of(world, project, view, locked)
                return Run(address=locked.address, md5=locked.view_md5, view=found)
    return None


def view_of(world: World, project: Project, view: View, locked: Locked) -> ViewDocument | None:
    """The view with the md5 that dvc.lock recorded: on disk, kept, or in Git's history."""
    for content in _contents(world, project, view, locked.view_md5):
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == locked.view_md5:
            try:
                return view_document.decode(content, _file(view))
            except EnvstageError:
                return None
    return None


def _contents(world: World, project: Project, view: View, md5: str) -> Iterator[bytes]:
    try:
        with open(project.path(_file(view)), "rb") as file:
            yield file.read()
    except OSError:
        pass
    kept = archive.kept(project.state, md5)
    if kept is not None:
        yield kept
    raw = ("log", "--all", f"-n{_REVISIONS}", "--format=", "--raw", "--no-abbrev", "--no-renames")
    seen = set()
    for line in _lines(world, project, *raw, "--", _file(view)):
        fields = line.split()
        if len(fields) > 4 and fields[3] not in seen and set(fields[3]) != {"0"}:
            seen.add(fields[3])
            yield _git(world, project, "cat-file", "blob", fields[3])


def _locked_at(world: World, project: Project, name: str, usage: Usage) -> tuple[Locked, ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(_git(world, project, "show", name), Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return ()
    return locked_in(document if isinstance(document, dict) else {}, usage)


def _lines(world: World, project: Project, *arguments: str) -> list[str]:
    return os.fsdecode(_git(world, project, *arguments)).split("\n")[:-1]


def _git(world: World, project: Project, *arguments: str) -> bytes:
    """What Git prints; nothing where it fails. No program that the repository names is run."""
    git = world.which("git")
    if git is None:
        return b""
    safe = ("-c", "core.fsmonitor=false", "--no-pager", "-C", project.root)
    try:
        done = world.run((git, *safe, *arguments), timeout_s=_GIT_TIMEOUT_S)
    except (OSError, TimedOut):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _file(view: View) -> str:
    return layout.view_file(view.environment, view.name)
