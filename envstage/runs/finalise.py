"""After the run: the view is rewritten with exactly what the run used, or stays wide."""

import os
from collections.abc import Iterable
from typing import Final

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.write import project_lock
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.errors import RefusedError
from envstage.facets.imports import Names
from envstage.observer.observation import Observation
from envstage.project import Project
from envstage.runs.attribution import observed_selection
from envstage.runs.guard import Guarded
from envstage.snapshot.files import write
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.archive import Archived
from envstage.views.prediction import input_digest
from envstage.views.selection import Selection

_INPUTS_AT_MOST: Final = 2000
# The command and its parameters stand there.
_PIPELINE_FILES: Final = (layout.PARAMS_FILE, "dvc.yaml", "Snakefile")


class Finalised(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a view."""

    packages: int
    installed: int
    is_changed: bool
    doubts: tuple[str, ...] = ()


def finalise(project: Project, guarded: Guarded) -> Finalised:
    """Rewrite a view with what its run used; keep the file's time (Snakemake looks at it).

    Args:
        guarded: a run that ended well.

    Raises:
        RefusedError: a fact that the run used is no longer what it was at the start: the
            result cannot be trusted, and its key would lie.
    """
    observation, after = guarded.observation, guarded.after
    if observation is None or after is None:
        raise ValueError("a run that did not end well is not finalised")
    doubts = [*observation.doubts, *_interpreter_doubts(observation, after)]
    selection = None if doubts else _selection(observation, after)
    if selection is None and not doubts:
        doubts.append("the environment's interpreter gave no answer")
    _require_unchanged(guarded, after, selection)
    projection = after.project(guarded.view, selection)
    document = projection.document
    entry = Archived(
        view=document,
        inputs=_inputs(project, guarded, observation, after.names),
        doubts=tuple(doubts),
    )
    view, environment = guarded.view.name, guarded.view.environment
    with project_lock(project):
        path = project.path(layout.view_file(environment, view))
        is_changed = _rewrite(path, view_document.encode(document))
        archive.add(project.state, environment, view, entry)
    return Finalised(
        packages=len({each[1] for each in document.facts if each[0] == "packages"}),
        installed=len(after.capture.answer.distributions) if after.capture.answer else 0,
        is_changed=is_changed,
        doubts=tuple(doubts),
    )


def _selection(observation: Observation, after: Projectors) -> Selection | None:
    answer, names = after.capture.answer, after.names
    if answer is None or names is None:
        return Selection(uses_python=False) if not observation.processes else None
    return observed_selection(observation, answer, names)


def _interpreter_doubts(observation: Observation, after: Projectors) -> Iterable[str]:
    """Pythons of another environment than the one that the view describes."""
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
