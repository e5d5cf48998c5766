"""The views of a stage's runs: found through dvc.lock, the archive and Git. Executes only Git."""

import hashlib
import posixpath
from collections.abc import Mapping
from typing import Final

import msgspec

from envstage import layout
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.dvc_usage import (
    DVC_FILE,
    LOCK_FILE,
    Locked,
    Usage,
    locked_in,
    locked_users,
    mapping_of,
    require_readable,
    users_by_view,
)
from envstage.pipelines.git_views import contents_of
from envstage.project import Project
from envstage.refs.git import Git
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.document import ViewDocument
from envstage.world import World
from envstage.yaml_node import nearest

_REVISIONS: Final = 300


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a stage, as dvc.lock has it.

    Attributes:
        view: the view that it depended on; None where nobody has it.
        others: what else it depended on (`Locked.others`).
    """

    address: str
    md5: str
    view: ViewDocument | None
    others: Mapping[str, str] = {}

    def changed_since(self, before: "Run") -> tuple[str, ...]:
        """What a run depended on, beside the view, that was otherwise in an earlier one."""
        names = self.others.keys() | before.others.keys()
        changed = (name for name in names if self.others.get(name) != before.others.get(name))
        return tuple(sorted(changed))


class Tracked:
    """The stages that depend on views, as the pipelines' files have them when this is made."""

    def __init__(self, world: World, project: Project) -> None:
        self._world, self._root = world, project.root
        views = project.config.views
        self._users = users_by_view(world, project.root, map(_file, views))
        self._found: dict[str, tuple[View, Usage]] = {}
        for view in views:
            for usage in self.users(view):
                self._found.setdefault(usage.address, (view, usage))

    def users(self, view: View) -> tuple[Usage, ...]:
        """The stages that depend on a view."""
        return self._users[_file(view)]

    def of(self, stage: str) -> tuple[View, Usage]:
        """The view that a stage depends on.

        Args:
            stage: its address; an instance (`train@a`) stands for its template.

        Raises:
            EnvstageError: no stage of that name depends on a view.
        """
        name = posixpath.normpath(stage.partition("@")[0].removeprefix(f"{DVC_FILE}:"))
        if name in self._found:
            return self._found[name]
        require_readable(self._world, self._root)
        listed = ", ".join(sorted(self._found)) or "none"
        raise EnvstageError(
            f"no stage `{stage}` depends on a view (tracked: {listed})",
            where=DVC_FILE,
            fix=nearest(name, list(self._found)) or f"Run `envstage track {name}`",
        )


def last_runs(world: World, project: Project, view: View, usage: Usage) -> tuple[Run, ...]:
    """The last run of a stage, or of each of its instances, as dvc.lock has it."""
    return tuple(
        _run(world, project, view, locked) for locked in locked_users(project.root, (usage,))
    )


def run_before(world: World, project: Project, view: View, usage: Usage, run: Run) -> Run | None:
    """The run before the last that depended on anything else, by the commits of dvc.lock."""
    lock = posixpath.join(posixpath.dirname(usage.file), LOCK_FILE)
    git = Git(world, project.root)
    for commit in git.history([lock], most=_REVISIONS):
        for locked in _locked_in(git.blob(commit.id, lock), usage):
            is_same = locked.view_md5 == run.md5 and locked.others == run.others
            if locked.address == run.address and not is_same:
                return _run(world, project, view, locked)
    return None


def _run(world: World, project: Project, view: View, locked: Locked) -> Run:
    return Run(
        address=locked.address,
        md5=locked.view_md5,
        view=view_of(world, project, view, locked),
        others=locked.others,
    )


def view_of(world: World, project: Project, view: View, locked: Locked) -> ViewDocument | None:
    """The view with the md5 that dvc.lock recorded: on disk, kept, or in Git's history."""
    kept = archive.kept(project.state, locked.view_md5)
    for content in contents_of(world, project, _file(view), [kept] if kept is not None else []):
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == locked.view_md5:
            try:
                return view_document.decode(content, _file(view))
            except EnvstageError:
                return None
    return None


def _locked_in(data: bytes | None, usage: Usage) -> tuple[Locked, ...]:
    """The last runs by a dvc.lock; none where it cannot be read."""
    return locked_in(mapping_of(data or b""), usage)


def _file(view: View) -> str:
    return layout.view_file(view.environment, view.name)
