"""After the run: the view is rewritten with exactly what the run used, or stays wide."""

import enum
import os
from collections.abc import Iterable
from typing import Final

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.write import project_lock, read_view
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.errors import RefusedError
from envstage.facets.imports import Names
from envstage.observer.observation import Observation
from envstage.project import Project
from envstage.runs.attribution import observed_selection, without_python
from envstage.runs.guard import Guarded
from envstage.runs.reasons import reasons_of
from envstage.runs.used import Kept, Used
from envstage.snapshot.files import write
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.archive import Archived
from envstage.views.document import ViewDocument
from envstage.views.prediction import input_digest
from envstage.views.selection import Selection, selection_of

_INPUTS_AT_MOST: Final = 2000
# The command and its parameters stand there.
_PIPELINE_FILES: Final = (layout.PARAMS_FILE, "dvc.yaml", "Snakefile")
_GPU_PACKAGES: Final = frozenset(
    "torch tensorflow jaxlib jax cupy numba xgboost lightgbm catboost onnxruntime-gpu "
    "paddlepaddle cudf cuml".split()
)
_COLLECTED: Final = "observed"


class Fate(enum.Enum):
    """What became of a view after a run."""

    NARROWED = "narrowed"
    KEPT = "kept"
    WIDE = "wide"
    COLLECTED = "collected"
    GREW = "grew"


class Finalised(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a view, and of how many packages it speaks."""

    fate: Fate
    packages: int
    installed: int
    doubts: tuple[str, ...] = ()


def used_by(project: Project, guarded: Guarded) -> Used:
    """What a run that ended well used.

    Raises:
        RefusedError: a fact that the run used is no longer what it was at the start: the
            result cannot be trusted, and its key would lie.
    """
    observation, after = guarded.observation, guarded.after
    if observation is None or after is None:
        raise ValueError("a run that did not end well used nothing that counts")
    doubts = [*observation.doubts, *_other_doubts(observation, after)]
    selection = None if doubts else _selection(observation, after)
    if selection is None and not doubts:
        doubts.append("the environment's interpreter gave no answer")
    _require_unchanged(guarded, after, selection)
    return Used(
        selection=selection,
        doubts=tuple(doubts),
        inputs=_inputs(project, guarded, observation, after.names),
        reasons=_reasons(project, observation, after),
    )


def _reasons(project: Project, observation: Observation, after: Projectors) -> dict[str, str]:
    answer, names = after.capture.answer, after.names
    if answer is None or names is None:
        return {}
    return reasons_of(observation, answer, names, project.root)


def finalise(project: Project, guarded: Guarded, used: Used) -> Finalised:
    """Rewrite a view with what its run used; keep the file's time (Snakemake looks at it)."""
    after = _after(guarded)
    document = after.project(guarded.view, used.selection).document
    with project_lock(project):
        is_changed = _store(project, guarded, document, used)
    fate = Fate.NARROWED if is_changed else Fate.KEPT
    return _finalised(after, document, Fate.WIDE if used.doubts else fate, used.doubts)


def collect_observation(project: Project, guarded: Guarded, used: Used, instance: str) -> Finalised:
    """Keep what one of several stages (or instances) of a shared view used.

    A wide view stays wide until `track --update`. A narrowed one grows where this run used
    more, and becomes wide where it could not be observed: the key of this run's result holds
    every fact that it used. The others that share the view then run once more.
    """
    after = _after(guarded)
    environment, view = guarded.view.environment, guarded.view.name
    with project_lock(project):
        collected(project, environment, view).put(instance, used)
        # As it is now: another job that shares it may have made it grow since this one began.
        current = read_view(project, environment, view) or guarded.document
        here = selection_of(current, guarded.view.include)
        if here is None:
            return _finalised(after, current, Fate.COLLECTED, used.doubts)
        selection = None if used.selection is None else here.union(used.selection)
        document = after.project(guarded.view, selection).document
        if document == current:
            return _finalised(after, document, Fate.KEPT)
        _store(project, guarded, document, used)
    return _finalised(after, document, Fate.GREW, used.doubts)


def collected(project: Project, environment: str, view: str) -> Kept:
    """What the stages of a shared view were seen to use, by stage or instance."""
    return Kept(project.state, _COLLECTED, environment, view)


def _after(guarded: Guarded) -> Projectors:
    if guarded.after is None:
        raise ValueError("a run that did not end well is not finalised")
    return guarded.after


def _store(project: Project, guarded: Guarded, document: ViewDocument, used: Used) -> bool:
    environment, view = guarded.view.environment, guarded.view.name
    entry = Archived(view=document, inputs=used.inputs, reasons=used.reasons, doubts=used.doubts)
    path = project.path(layout.view_file(environment, view))
    current = read_view(project, environment, view)
    if current is not None:
        archive.keep(project.state, view_document.encode(current))
    content = view_document.encode(document)
    archive.keep(project.state, content)
    archive.add(project.state, environment, view, entry)
    return _rewrite(path, content)


def _finalised(
    after: Projectors, document: ViewDocument, fate: Fate, doubts: tuple[str, ...] = ()
) -> Finalised:
    answer = after.capture.answer
    return Finalised(
        fate=fate,
        packages=len({each[1] for each in document.facts if each[0] == "packages"}),
        installed=len(answer.distributions) if answer else 0,
        doubts=doubts,
    )


def _selection(observation: Observation, after: Projectors) -> Selection | None:
    answer, names = after.capture.answer, after.names
    if answer is None or names is None:
        return without_python() if not observation.processes else None
    tools = {address[1] for address in after.capture.facts if address[0] == "tools"}
    selection = observed_selection(observation, answer, names, tools)
    # Who finds no GPU leaves no trace of having asked: for what computes on one where there is
    # one, its absence is a fact (and a driver's upgrade is none).
    visible = after.capture.facts.get(("hardware", "gpu", "visible"))
    if not visible and selection.packages & _GPU_PACKAGES:
        return msgspec.structs.replace(selection, uses_gpu=True)
    return selection


def _other_doubts(observation: Observation, after: Projectors) -> Iterable[str]:
    """Reasons for doubt that the observer does not know: other environments, enumerations."""
    answer = after.capture.answer
    expected = os.path.realpath(answer.prefix) if answer else ""
    others = {
        process.prefix
        for process in observation.processes
        if process.prefix and os.path.realpath(process.prefix) != expected
    }
    name = after.capture.environment.name
    for prefix in sorted(others):
        yield (
            f"a Python of another environment took part ({os.path.basename(prefix)}): "
            f"set `python:` of the environment {name} if the stage runs there"
        )
    if observation.enumerations and not others:
        yield f"the run went through every distribution ({observation.enumerations[0]})"


def _require_unchanged(guarded: Guarded, after: Projectors, selection: Selection | None) -> None:
    start = guarded.before.project(guarded.view, selection).facts
    found = short(differences(start, after.project(guarded.view, selection).facts))
    if not found and selection is not None and guarded.observation is not None:
        # Names are looked up at the end: one that the run did not find must not be there now.
        names = after.names
        there = [
            name
            for name in guarded.observation.missing
            if name in selection.modules and names is not None and names.meaning(name) is not None
        ]
        found = f"{there[0]} was not found and is there now" if there else ""
    if found:
        raise RefusedError(
            f"the environment changed while the command ran: {found}",
            where=f"view {guarded.view.name}",
            fix="Nothing was finalised; run the stage again",
        )


def _inputs(
    project: Project, guarded: Guarded, observation: Observation, names: Names | None
) -> dict[str, str]:
    """Digests of the run's own code and parameters: they tell which run a view belongs to.

    Of a run that could not be observed, the files of the run before it: nobody knows better.
    """
    root = os.path.realpath(project.root)
    code = {
        os.path.relpath(path, root).replace(os.sep, "/")
        for path in observation.files
        if names is not None and names.is_code(path)
    }
    if observation.doubts:
        earlier = archive.read(project.state, guarded.view.environment, guarded.view.name)
        code |= {path for each in earlier[:1] for path in each.inputs}
    here = os.path.relpath(os.getcwd(), root).replace(os.sep, "/")
    folders = {""} if here.startswith("..") else {"", "" if here == "." else f"{here}/"}
    code |= {folder + name for folder in folders for name in _PIPELINE_FILES}
    digests = {
        path: input_digest(os.path.join(root, path)) for path in sorted(code)[:_INPUTS_AT_MOST]
    }
    return {path: digest for path, digest in digests.items() if digest}


def _rewrite(path: str, content: bytes) -> bool:
    stat = os.stat(path)
    if not write(path, content):
        return False
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return True
