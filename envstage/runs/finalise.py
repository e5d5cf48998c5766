"""After the run: the view is rewritten with exactly what the run used, or stays wide."""

import enum
import os
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.committed import project_lock, read_view
from envstage.errors import RefusedError
from envstage.facets.imports import Names
from envstage.facets.packages import TOOLING_MARK
from envstage.observer.observation import Observation
from envstage.project import Project
from envstage.runs.attribution import observed_selection, without_python
from envstage.runs.drift import drift_of
from envstage.runs.guard import Guarded
from envstage.runs.policy import OnDrift, Verdicts
from envstage.runs.reasons import reasons_of
from envstage.runs.used import Kept, Used
from envstage.snapshot.files import write
from envstage.snapshot.model import Facts
from envstage.snapshot.secrets import REMOVED
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.archive import Archived
from envstage.views.document import ViewDocument
from envstage.views.prediction import input_digest
from envstage.views.selection import Selection, selection_of

_INPUTS_AT_MOST: Final = 2000
# The command and its parameters stand there.
_PIPELINE_FILES: Final = (layout.PARAMS_FILE, "dvc.yaml", "Snakefile")
# Of scripts, with what Snakemake puts before them; gone after the run.
_COPIES: Final = f"{os.sep}.snakemake{os.sep}scripts{os.sep}"
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


def used_by(project: Project, guarded: Guarded, code: Sequence[str] = ()) -> Used:
    """What a run that ended well used; of one that nobody observed, what its view says.

    Args:
        code: files of the run's own code that nobody sees being read: of a `script:` rule
            Snakemake runs a copy.

    Raises:
        RefusedError: a fact that the run used is no longer what it was at the start: the
            result cannot be trusted, and its key would lie.
    """
    observation, after = guarded.observation, guarded.after
    if after is None:
        raise ValueError("a run that did not end well used nothing that counts")
    if observation is None:
        selection = selection_of(guarded.document, guarded.view.include)
        return Used(selection=selection, verdicts=_verdicts(guarded, after, selection))
    observation = _by_its_own_name(observation, project, code)
    doubts = [*observation.doubts, *_other_doubts(observation, after)]
    selection = None if doubts else _selection(observation, after)
    if selection is None and not doubts:
        doubts.append("the environment's interpreter gave no answer")
    return Used(
        selection=selection,
        doubts=tuple(doubts),
        inputs=_inputs(project, guarded, observation, after.names),
        reasons=_reasons(project, observation, after),
        verdicts=_verdicts(guarded, after, selection),
    )


def _verdicts(guarded: Guarded, after: Projectors, selection: Selection | None) -> Verdicts:
    drift = drift_of(guarded, after, selection)
    if drift and guarded.policy.on_drift is OnDrift.FAIL:
        raise RefusedError(
            f"the environment changed while the command ran: {drift}",
            where=f"view {guarded.view.name}",
            fix="Nothing was finalised; run the stage again",
        )
    return Verdicts(mismatch=guarded.mismatch, drift=drift)


def _reasons(project: Project, observation: Observation, after: Projectors) -> dict[str, str]:
    answer, names = after.capture.answer, after.names
    if answer is None or names is None:
        return {}
    return reasons_of(observation, answer, names, project.root)


def finalise(project: Project, guarded: Guarded, used: Used) -> Finalised:
    """Rewrite a view with what its run used; keep the file's time (Snakemake looks at it)."""
    document = _made(guarded, used, used.selection)
    with project_lock(project):
        is_changed = _store(project, guarded, document, used)
    fate = Fate.NARROWED if is_changed else Fate.KEPT
    return _finalised(guarded, document, Fate.WIDE if used.doubts else fate, used.doubts)


def restate(project: Project, guarded: Guarded, used: Used) -> None:
    """Say in a view what this machine is, by its selection: of a run that nobody observed, on a
    machine that is otherwise. Its result must not be stored under the view that was there."""
    document = _made(guarded, used, used.selection)
    with project_lock(project):
        archive.keep(project.state, view_document.encode(document))
        path = project.path(layout.view_file(guarded.view.environment, guarded.view.name))
        _rewrite(path, view_document.encode(document))


def _made(guarded: Guarded, used: Used, selection: Selection | None) -> ViewDocument:
    """The view that says in which environment a result was made.

    Where that changed meanwhile and the policy let it pass, it is the one of the start: what
    was loaded was mostly loaded then, and the environment as it is now makes the stage run again.
    """
    observation = guarded.observation
    if not used.verdicts.drift:
        return _after(guarded).project(guarded.view, selection).document
    document = guarded.before.project(guarded.view, selection).document
    missing = observation.missing if observation is not None else ()
    facts = {
        address: None if address[0] == "modules" and ".".join(address[1:]) in missing else value
        for address, value in document.facts.items()
    }
    return msgspec.structs.replace(document, facts=facts)


def collect_observation(project: Project, guarded: Guarded, used: Used, instance: str) -> Finalised:
    """Keep what one of several stages (or instances) of a shared view used.

    A wide view stays wide until `track --update`. A narrowed one grows where this run used
    more, and becomes wide where it could not be observed: the key of this run's result holds
    every fact that it used. The others that share the view then run once more.
    """
    environment, view = guarded.view.environment, guarded.view.name
    with project_lock(project):
        _keep(collected(project, environment, view), instance, used)
        # As it is now: another job that shares it may have made it grow since this one began.
        current = read_view(project, environment, view) or guarded.document
        here = selection_of(current, guarded.view.include)
        selection = None
        if here is not None and used.selection is not None:
            selection = here.union(used.selection)
        document = _made(guarded, used, selection)
        is_same = document == current
        if here is None and (is_same or not used.verdicts.mismatch):
            return _finalised(guarded, current, Fate.COLLECTED, used.doubts)
        if not is_same:
            _store(project, guarded, document, used)
    return _finalised(guarded, document, Fate.KEPT if is_same else Fate.GREW, used.doubts)


def _keep(kept: Kept, instance: str, used: Used) -> None:
    if REMOVED in instance:
        # Jobs whose commands differ in nothing but a secret have one name: all of them count.
        used = used.union(kept.all().get(instance, used))
    kept.put(instance, used)


def collected(project: Project, environment: str, view: str) -> Kept:
    """What the stages of a shared view were seen to use, by stage or instance."""
    return Kept(project.state, _COLLECTED, environment, view)


def _after(guarded: Guarded) -> Projectors:
    if guarded.after is None:
        raise ValueError("a run that did not end well is not finalised")
    return guarded.after


def _store(project: Project, guarded: Guarded, document: ViewDocument, used: Used) -> bool:
    environment, view = guarded.view.environment, guarded.view.name
    verdicts = tuple(each for each in (used.verdicts.mismatch, used.verdicts.drift) if each)
    entry = Archived(
        view=document,
        inputs=used.inputs,
        reasons=used.reasons,
        doubts=used.doubts,
        verdicts=verdicts,
    )
    path = project.path(layout.view_file(environment, view))
    current = read_view(project, environment, view)
    if current is not None:
        archive.keep(project.state, view_document.encode(current))
    content = view_document.encode(document)
    archive.keep(project.state, content)
    archive.add(project.state, environment, view, entry)
    return _rewrite(path, content)


def _finalised(
    guarded: Guarded, document: ViewDocument, fate: Fate, doubts: tuple[str, ...] = ()
) -> Finalised:
    facts = _after(guarded).capture.facts
    used = _named("packages", document.facts)
    # As `capture` counts them: envstage, and what only envstage needs, is in no snapshot.
    installed = _named("packages", facts) - _named(TOOLING_MARK, facts)
    return Finalised(fate=fate, packages=len(used), installed=len(installed | used), doubts=doubts)


def _named(group: str, facts: Facts) -> frozenset[str]:
    return frozenset(address[1] for address in facts if address[0] == group)


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


def _by_its_own_name(
    observation: Observation, project: Project, code: Sequence[str]
) -> Observation:
    """With the scripts that were run in place of Snakemake's copies of them."""
    root = os.path.realpath(project.root) + os.sep
    own = [path for path in map(os.path.realpath, code) if path.startswith(root)]
    if not own:
        return observation

    def named(path: str) -> str:
        return own[0] if _COPIES in path else path

    return msgspec.structs.replace(
        observation,
        files=tuple(sorted({*map(named, observation.files), *own})),
        askers=tuple(sorted({(name, named(path)) for name, path in observation.askers})),
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
