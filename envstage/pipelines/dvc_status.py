"""Would `dvc repro` run a stage beside the environment's? Told without data, GPU or cache.

`dvc status` compares the files that are here with dvc.lock. What it calls deleted is mostly data
that nobody has pulled: such a dependency is as it was if the stage that makes it (or its .dvc
file) recorded the same digest; DVC's own `--allow-missing` reasons alike. `dvc repro --dry` is no
help: it says of the environment's stage that it runs, always.
"""

import hashlib
import importlib.util
import posixpath
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors, assemble
from envstage.capture.collect import belongs_here, collect
from envstage.capture.committed import earlier_views, read_view
from envstage.capture.write import Mode, mode_of
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.errors import CaptureError
from envstage.pipelines.complaint import complaint
from envstage.pipelines.dvc_file import Stage, all_stages, require_pipeline, view_deps
from envstage.pipelines.dvc_lock import recorded, tracked_digest
from envstage.pipelines.plan import Draft
from envstage.project import Project
from envstage.snapshot.canonical import parsed
from envstage.views import document as view_document
from envstage.world import TimedOut, World

_TIMEOUT_S: Final = 600
_ABSENT: Final = "deleted"
_UNCACHED: Final = "not in cache"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a stage would run."""

    stage: str
    why: str


class PipelineState(msgspec.Struct, frozen=True, kw_only=True):
    """The stages that would run, and what had to be taken from dvc.lock."""

    reasons: tuple[Reason, ...]
    absent: tuple[str, ...] = ()


def pipeline_state(world: World, project: Project) -> PipelineState:
    """Look at every stage but the environment's.

    The views are those that a capture would write here; where an environment is held
    (`ENVSTAGE_MODE=hold`, or a machine that is none of its own), those that are committed.

    Raises:
        CaptureError: DVC is not here or gives no answer, or a fact is unknown.
        EnvstageError: there is no pipeline.
    """
    require_pipeline(project.root)
    return _Look(project, _status(world, project.root), _predicted(world, project)).state()


class _Look:
    def __init__(
        self, project: Project, status: Mapping[str, Any], predicted: Mapping[str, str]
    ) -> None:
        self._root = project.root
        self._status = status
        self._predicted = predicted
        self._stages = {
            stage.address: stage for stage in all_stages(Draft(project.root)) if not stage.is_frozen
        }
        self._recorded = recorded(project.root, tuple(self._stages.values()))
        self._names: dict[str, list[str]] = {}
        for name in dict.fromkeys((*self._recorded.deps, *status)):
            self._names.setdefault(name.partition("@")[0], []).append(name)
        self._folders = {above for out in self._recorded.outs for above in _above(out)}
        self._absent: set[str] = set()
        self._project = project

    def state(self) -> PipelineState:
        """Every reason, in the order of the pipeline's files."""
        reasons = [
            Reason(stage=name, why=why)
            for address, stage in self._stages.items()
            if not stage.is_ours
            for name in self._instances(address)
            for why in self._reasons(name, stage)
        ]
        return PipelineState(reasons=tuple(reasons), absent=tuple(sorted(self._absent)))

    def _instances(self, address: str) -> list[str]:
        """A stage's own address, or those of a `foreach` or `matrix` (`train@a`)."""
        return self._names.get(address, [address])

    def _reasons(self, name: str, stage: Stage) -> Iterator[str]:
        if name not in self._recorded.deps:
            yield "has never run: dvc.lock does not have it"
            return
        yield from self._view_reasons(name, stage)
        for entry in self._status.get(name, ()):
            if isinstance(entry, str):
                words = {"always changed": "runs at every repro: always_changed"}
                yield words.get(entry, entry)
                continue
            for path, state in entry.get("changed deps", {}).items():
                yield from self._dep_reasons(name, path, state)
            for path, state in entry.get("changed outs", {}).items():
                if state not in (_ABSENT, _UNCACHED):
                    yield f"its output {path} is {_words(state)}"

    def _dep_reasons(self, name: str, path: str, state: Any) -> Iterator[str]:
        if isinstance(state, Mapping):
            for key, word in state.items():
                yield f"the parameter {key} in {path} is {_words(word)}"
        elif path in self._predicted:
            return  # told by what a capture would write, not by what lies there
        elif state != _ABSENT:
            yield f"its dependency {path} is {_words(state)}"
        else:
            yield from self._absent_reasons(name, path)

    def _absent_reasons(self, name: str, path: str) -> Iterator[str]:
        mine = self._recorded.deps[name].get(path)
        source = self._recorded.outs.get(path) or tracked_digest(self._root, path)
        if source is not None and mine is not None and source != mine:
            yield f"its dependency {path} was made anew since it ran"
        elif source is not None or self._is_within_data(path):
            self._absent.add(path)
        else:
            yield f"its dependency {path} is missing"

    def _is_within_data(self, path: str) -> bool:
        """Whether a path lies in data, or holds some: no digest of its own tells of it."""
        for folder in _above(path):
            if folder in self._recorded.outs or tracked_digest(self._root, folder) is not None:
                return True
        return path in self._folders

    def _view_reasons(self, name: str, stage: Stage) -> Iterator[str]:
        for item in view_deps(stage):
            path = stage.resolved(item)
            wanted = self._recorded.deps[name].get(path)
            if path in self._predicted and wanted is not None:
                digest, _, words = self._predicted[path].partition(" ")
                if digest != wanted:
                    yield f"this machine is not what {path} says" + (f": {words}" if words else "")


def _above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the innermost first, without the topmost of all."""
    while (path := posixpath.dirname(path)).strip("/"):
        yield path


def _status(world: World, root: str) -> Mapping[str, Any]:
    argv = (*_dvc(world), "--cd", root, "status", "--json")
    environ = {**world.environ, "DVC_NO_ANALYTICS": "1"}
    try:
        done = world.run(argv, timeout_s=_TIMEOUT_S, environ=environ)
    except (OSError, TimedOut) as error:
        raise CaptureError("`dvc status` gave no answer", where=str(error)) from None
    try:
        found = parsed(done.stdout) if done.returncode == 0 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CaptureError(
            f"`dvc status` failed: {complaint(done.stderr)}", fix="Run it by hand to see more"
        )
    return found


def _dvc(world: World) -> tuple[str, ...]:
    program = world.which("dvc")
    if program is not None:
        return (program,)
    if importlib.util.find_spec("dvc") is not None:
        return (sys.executable, "-m", "dvc")
    raise CaptureError("DVC is not installed here", fix="Run `pip install 'envstage[dvc]'`")


def _predicted(world: World, project: Project) -> dict[str, str]:
    """What a capture would write here: by view file its md5, and what differs, in words."""
    found: dict[str, str] = {}
    if mode_of(world) is Mode.HOLD:
        return found
    for environment in project.config.environments:
        if not project.config.views_of(environment.name) or not belongs_here(
            world, project.root, project.config, environment
        ):
            continue
        capture = collect(world, project.root, project.config, environment)
        projectors = Projectors(world, project.root, capture)
        earlier = earlier_views(project, environment.name)
        made = assemble(capture, project.config, projectors, earlier)
        for name, view in made.views.items():
            there = read_view(project, environment.name, name)
            words = short(differences(there.facts, view.facts)) if there is not None else ""
            # DVC's digest, which guards nothing.
            content = view_document.encode(view)
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            found[layout.view_file(environment.name, name)] = f"{digest} {words}"
    return found


def _words(state: Any) -> str:
    return "not what dvc.lock says" if state == "modified" else str(state)
