"""`envstage run`: compare before, observe the command, compare after, finalise the view.

Sound because every stored result's key is written after its run, with every fact that the run
used: DVC and Snakemake hash a job's inputs when it has ended.
"""

import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.collect import belongs_here, collect
from envstage.capture.engine import as_called
from envstage.capture.write import read_view
from envstage.compare.render import short
from envstage.config import View
from envstage.errors import EnvstageError, RefusedError
from envstage.observer.observation import (
    HOOK,
    Observation,
    environ_for,
    observe,
    wait_for_stragglers,
)
from envstage.observer.started import command_marks
from envstage.project import Project
from envstage.runs.command import run_command
from envstage.runs.programs import programs_of
from envstage.views.document import ViewDocument
from envstage.world import World

_STRAGGLERS_S: Final = 5
# An assignment with a value: an empty one means something else.
_SETS_PYTHONPATH: Final = re.compile(r"(^|[\s;&|(])PYTHONPATH=(?=[^\s;&|)])")
_MARK_WORDS: Final = {
    "isolated": "the command starts a Python with -I, -E or -S, which keep the observer out",
    "cleared": "the command starts a Python without the observer's variables",
    "elsewhere": "the command runs where the observer does not reach",
}


class Guarded(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended under the guard.

    Attributes:
        returncode: as a shell reports it: 128 + the signal for a death by signal.
        before, after: this machine's facts at the start and at the end.
        observation: None where the command failed; then nothing is finalised.
    """

    returncode: int
    view: View
    document: ViewDocument
    before: Projectors
    after: Projectors | None = None
    observation: Observation | None = None


def guard(
    world: World, project: Project, view: View, argv: Sequence[str], *, is_observed: bool
) -> Guarded:
    """Run a command on the machine that its view describes, and look at what it uses.

    Raises:
        RefusedError: this machine is not what the view says; the command was not started.
    """
    environment = project.config.environment(view.environment)
    if not belongs_here(as_called(world), project.root, project.config, environment):
        raise RefusedError(
            f"this machine is none of the machines of the environment {environment.name}",
            where=f"view {view.name}",
            fix="Run it on one of them; `where:` of the environment says which",
        )
    before = _projectors(world, project, view)
    document = _require_match(project, view, before)
    if not is_observed:
        returncode = run_command(argv, world.environ)
        return Guarded(returncode=returncode, view=view, document=document, before=before)
    report = _report_folder(project)
    began_s = time.time()
    try:
        environ = environ_for(report, world.environ)
        returncode = run_command(argv, environ)
        if returncode != 0:
            return Guarded(returncode=returncode, view=view, document=document, before=before)
        wait_for_stragglers(report, _STRAGGLERS_S)
        observation = _with_marks(observe(report), argv, environ, report)
        observation = msgspec.structs.replace(observation, began_s=began_s)
    finally:
        shutil.rmtree(report, ignore_errors=True)
    return Guarded(
        returncode=returncode,
        view=view,
        document=document,
        before=before,
        after=_projectors(world, project, view),
        observation=observation,
    )


def shell_command(text: str) -> tuple[str, ...]:
    """A compound command as DVC would start it: by $SHELL, without its profile.

    `PYTHONPATH=src python …` would leave the observer's folder out; it is put before.
    """
    shell = os.environ.get("SHELL") or "/bin/sh"
    name = os.path.basename(shell)
    options = {"zsh": ("--no-rcs",), "bash": ("--noprofile", "--norc")}.get(name, ())
    hook = shlex.quote(HOOK + os.pathsep)
    return (shell, *options, "-c", _SETS_PYTHONPATH.sub(rf"\1PYTHONPATH={hook}", text))


def _projectors(world: World, project: Project, view: View) -> Projectors:
    environment = project.config.environment(view.environment)
    world = as_called(world)
    capture = collect(world, project.root, project.config, environment)
    return Projectors(world, project.root, capture)


def _require_match(project: Project, view: View, before: Projectors) -> ViewDocument:
    where = layout.view_file(view.environment, view.name)
    document = read_view(project, view.environment, view.name)
    if document is None:
        raise RefusedError(
            "there is no view that can be read", where=where, fix="Run the pipeline, or capture"
        )
    if before.capture.failure is not None and before.project(view, None).unknown:
        failure = before.capture.failure
        raise RefusedError(failure.what, where=f"view {view.name}", fix=failure.fix)
    found = before.differences_from(view, document)
    if found:
        raise RefusedError(
            f"this machine is not what the view says: {short(found)}",
            where=where,
            fix="Run it where the view was captured, or capture this machine first",
        )
    return document


def _report_folder(project: Project) -> str:
    try:
        os.makedirs(project.state, exist_ok=True)
        return os.path.realpath(tempfile.mkdtemp(prefix="observed-", dir=project.state))
    except OSError as error:
        raise EnvstageError(f"cannot be written: {error.strerror}", where=project.state) from None


def _with_marks(
    observation: Observation, argv: Sequence[str], environ: dict[str, str], report: str
) -> Observation:
    """Add what the command line itself gives reason to doubt."""
    marks = command_marks(argv, environ, report, HOOK)
    doubts = [_MARK_WORDS[mark] for mark in marks if mark in _MARK_WORDS]
    programs = tuple(sorted({*observation.programs, *programs_of(argv, environ)}))
    if "python" in marks and not observation.processes:
        doubts.append("the command is a Python that never reported")
    return msgspec.structs.replace(
        observation, doubts=tuple(sorted({*observation.doubts, *doubts})), programs=programs
    )
