"""Watches one command from start to end, where a receipt is asked for."""

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from envstage.capture.context import CodeState, start_code_state
from envstage.errors import EnvstageError
from envstage.observer.events import Report, read_reports
from envstage.observer.observation import VARIABLE, wait_for_stragglers
from envstage.observer.report import WANTED
from envstage.project import Project
from envstage.receipts.document import is_receipt
from envstage.runs.ending import Ending
from envstage.runs.guard import Runner
from envstage.snapshot.files import cannot_write
from envstage.world import Completed, Started, TimedOut, World

_STRAGGLERS_S: Final = 5
# What a failing command leaves behind may run for ever.
_ORPHANS_S: Final = 1
_GIT_TIMEOUT_S: Final = 20
_LIMIT_BYTES: Final = 256 * 1024 * 1024


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt that was asked for.

    Attributes:
        path: absolute.
        sign: a private key; empty for none.
        part, parts: which of the stage's commands this is.
    """

    path: str
    is_attested: bool = False
    sign: str = ""
    part: int = 1
    parts: int = 1


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended, as the witness saw it.

    Attributes:
        reports: of its Python processes; None where nobody observed.
        code: the project's code as it was at the start.
    """

    start_s: float
    end_s: float
    ending: Ending
    reports: tuple[Report, ...] | None
    code: CodeState


class Witness:
    """Stands between the guard and the command.

    Raises:
        EnvstageError: the receipt cannot be written or signed here: found out before the run.
    """

    def __init__(
        self, world: World, project: Project, wanted: Wanted, *, is_observed: bool
    ) -> None:
        self.world = world
        self.project = project
        self.wanted = wanted
        self.seen: Seen | None = None
        self._is_observed = is_observed
        _require_writable(wanted.path)
        if wanted.sign:
            from envstage.receipts.sign import signer

            signer(wanted.sign)
        self._code = start_code_state(world, project.root)

    def watching(self, run: Runner) -> Runner:
        """What runs the command as `run` does, and keeps what is known of it afterwards."""

        def watched(argv: Sequence[str], environ: Mapping[str, str]) -> Ending:
            code = _settled(self._code)
            if self.wanted.part == 1:
                _forget(self.wanted.path)
            report = environ.get(VARIABLE, "") if self._is_observed else ""
            if report:
                with open(os.path.join(report, WANTED), "wb"):
                    pass
            start_s = time.time()
            ending = run(argv, environ)
            self.seen = _seen(report, start_s, ending, code)
            return ending

        return watched


def _seen(report: str, start_s: float, ending: Ending, code: CodeState) -> Seen:
    end_s = time.time()
    if report:
        wait_for_stragglers(report, _ORPHANS_S if ending.returncode else _STRAGGLERS_S)
    return Seen(
        start_s=start_s,
        end_s=end_s,
        ending=ending,
        reports=read_reports(report) if report else None,
        code=code,
    )


def _forget(path: str) -> None:
    """Remove the receipt of an earlier run: it must not stand for this one, if that is cut off."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _require_writable(path: str) -> None:
    """A receipt that cannot be written, or whose place is taken, is found out before the run."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    if os.path.isdir(path):
        raise EnvstageError("is a folder", where=path, fix="Give --receipt a file")
    if _is_taken(path):
        raise EnvstageError(
            "is there already, and it is no receipt", where=path, fix="Give another path"
        )
    if not os.access(folder, os.W_OK):
        raise EnvstageError("cannot be written: the folder is read-only", where=path)


def _is_taken(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT_BYTES)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return bool(data) and not is_receipt(data)


class _Answered(msgspec.Struct, frozen=True):
    """A program that has ended already."""

    completed: Completed

    def finish(self, timeout_s: float) -> Completed:
        del timeout_s
        return self.completed


def _settled(code: CodeState) -> CodeState:
    """The state of the code before the command: Git's answer is read now, whatever is edited
    while the command runs."""
    if code.diff is None:
        return code
    try:
        answered: Started = _Answered(code.diff.finish(_GIT_TIMEOUT_S))
    except TimedOut:
        return CodeState(root=code.root, diff=None)
    return CodeState(root=code.root, diff=answered)
