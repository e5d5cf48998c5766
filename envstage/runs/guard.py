"""`envstage run`: compare before, observe the command, compare after, finalise the view.

Sound because every stored result's key is written after its run, with every fact that the run
used: DVC and Snakemake hash a job's inputs when it has ended.
"""

import contextlib
import os
import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from envstage.capture.assemble import Projectors
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.observer.observation import (
    HOOK,
    Observation,
    environ_for,
    observe,
    wait_for_stragglers,
)
from envstage.observer.started import command_marks
from envstage.project import Project, require_own_folders
from envstage.runs.command import run_command
from envstage.runs.ending import Ending
from envstage.runs.look import Start, look, look_again
from envstage.runs.policy import REFUSES, OnMismatch, Policy
from envstage.runs.programs import programs_of
from envstage.snapshot.model import Facts
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


Runner: TypeAlias = Callable[[Sequence[str], Mapping[str, str]], Ending]
"""Runs a command to its end, in an environment."""


class Guarded(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended under the guard.

    Attributes:
        ending: its exit code, or the signal that killed it.
        mismatch: what this machine is otherwise than the view says, where the policy let it pass.
        used: the facts that the view on disk selects, as they were at the start.
        before, after: this machine's facts at the start and at the end; None at the end where
            the command failed: then nothing is finalised.
        observation: None where the command failed, or nobody observed.
    """

    ending: Ending
    view: View
    document: ViewDocument
    used: Facts
    before: Projectors
    policy: Policy = REFUSES
    mismatch: str = ""
    after: Projectors | None = None
    observation: Observation | None = None

    @property
    def returncode(self) -> int:
        """As a shell reports it."""
        return self.ending.returncode


def guard(
    world: World,
    project: Project,
    view: View,
    argv: Sequence[str],
    *,
    policy: Policy = REFUSES,
    say: Callable[[str], None] = lambda text: None,
    run: Runner = run_command,
) -> Guarded:
    """Run a command on the machine that its view describes, and look at what it uses.

    Args:
        say: told what is otherwise than the view says, where the policy is to warn.
        run: what starts it; a witness keeps what it sees for a receipt.

    Raises:
        RefusedError: this machine is not what the view says; the command was not started.
    """
    start = look(world, project, view, policy)
    if start.mismatch and policy.on_mismatch is OnMismatch.WARN:
        say(f"view {view.name}: {start.mismatch}; started nevertheless")
    if not policy.is_observed:
        ending = run(argv, world.environ)
        return _guarded(world, project, view, start, ending, None, policy)
    require_own_folders(project)
    report = _report_folder(project)
    began_s = time.time()
    try:
        environ = environ_for(report, world.environ)
        ending = run(argv, environ)
        observation = None
        if ending.returncode == 0:
            wait_for_stragglers(report, _STRAGGLERS_S)
            observation = _with_marks(observe(report), argv, environ, report)
            observation = msgspec.structs.replace(observation, began_s=began_s)
    finally:
        _remove(report)
    return _guarded(world, project, view, start, ending, observation, policy)


def _guarded(
    world: World,
    project: Project,
    view: View,
    start: Start,
    ending: Ending,
    observation: Observation | None,
    policy: Policy,
) -> Guarded:
    return Guarded(
        ending=ending,
        view=view,
        document=start.document,
        used=start.used,
        before=start.facts,
        policy=policy,
        mismatch=start.mismatch,
        after=look_again(world, project, view, start) if ending.returncode == 0 else None,
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


def _report_folder(project: Project) -> str:
    try:
        os.makedirs(project.state, exist_ok=True)
        # Not `tempfile`, which loads 10 ms of other things.
        folder = os.path.join(os.path.realpath(project.state), f"observed-{os.urandom(8).hex()}")
        os.mkdir(folder, 0o700)
        return folder
    except OSError as error:
        raise EnvstageError(f"cannot be written: {error.strerror}", where=project.state) from None


def _remove(report: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(report):
            os.unlink(os.path.join(report, name))
        os.rmdir(report)


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
