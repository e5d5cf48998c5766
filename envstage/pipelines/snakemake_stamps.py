"""Has a view to be written again? Decided while the DAG is built, said by a stamp's time.

Once the environment's rule is scheduled, everything behind it runs, even if its output comes out
the same. So the decision is taken before: where the view on disk is what this machine is, the
stamp is dated back and nothing is scheduled; else the stamp gets new content and a time after the
view's. The view itself is written by the job alone: a `snakemake -n` changes nothing that a
running workflow depends on.
"""

import os
from typing import Final

import msgspec

from envstage import layout
from envstage.capture.mode import Mode, mode_of
from envstage.capture.predict import Predicted, predicted
from envstage.capture.set_aside import keep_copy, put_back
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.config import View
from envstage.errors import CaptureError, DiffersError, EnvstageError
from envstage.project import Project
from envstage.snapshot.files import write
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.document import ViewDocument, view_fingerprint
from envstage.world import World

_STEP_NS: Final = 10**9
FOLDER: Final = "stamps"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a view is what this machine is.

    Attributes:
        fingerprint: what Snakemake records of the job; none where the recorded one stays.
        notes: what a person should know.
    """

    is_current: bool
    fingerprint: str = ""
    notes: tuple[str, ...] = ()


def stamp_path(folder: str, view: str) -> str:
    """The stamp of a view, relative to the project: `.envstage/stamps/environment/train`."""
    return f"{layout.STATE_FOLDER}/{FOLDER}/{folder}/{view}"


class Decisions:
    """The decisions of one process: each environment is captured at most once."""

    def __init__(self, world: World, project: Project) -> None:
        self._world = world
        self._project = project
        self._predicted: dict[str, Predicted] = {}
        self._decided: dict[str, Decision] = {}

    def of(self, view: View) -> Decision:
        """Decide about a view, and set its stamp; the second time: what was decided.

        Raises:
            EnvstageError: this machine cannot be looked at, or (`ENVSTAGE_MODE=verify`) differs.
        """
        if view.name not in self._decided:
            self._decided[view.name] = self._decide(view)
        return self._decided[view.name]

    def knows(self, view: View) -> bool:
        """Whether it was decided about the view already."""
        return view.name in self._decided

    def _decide(self, view: View) -> Decision:
        project = self._project
        file = layout.view_file(view.environment, view.name)
        put_back(project, file)
        keep_copy(project, file)
        found = self._predicted_of(view)
        content = _content(project.path(file))
        will_be_there = content is None and not found.is_created
        if will_be_there or not _holds(found, view, content):
            return self._scheduled(view, found.views.get(view.name), content)
        if content is None:
            raise CaptureError(
                f"{found.held}, and this view is not there",
                where=file,
                fix="Capture it on one of the environment's machines and commit `environment/`",
            )
        date_back(self._stamp(view), project.path(file))
        return Decision(is_current=True, notes=(found.held,) if found.is_worth_saying else ())

    def _predicted_of(self, view: View) -> Predicted:
        if view.environment not in self._predicted:
            self._predicted[view.environment] = predicted(
                self._world, self._project, view.environment
            )
        return self._predicted[view.environment]

    def _scheduled(
        self, view: View, document: ViewDocument | None, content: bytes | None
    ) -> Decision:
        if content is not None:
            archive.keep(self._project.state, content)
            if document is not None and mode_of(self._world) is Mode.VERIFY:
                _refuse(view, document, content)
        # Never twice the same: that Snakemake saw this content before, with another view on
        # disk, must not let it pass as known.
        head = view_fingerprint(document) if document is not None else "unknown"
        text = f"{head} {self._world.time_ns()}"
        if document is not None:
            content_now = view_document.encode(document)
            write(_expected_path(self._project, view), content_now, is_durable=False)
        file = layout.view_file(view.environment, view.name)
        renew(self._stamp(view), self._project.path(file), text)
        return Decision(is_current=False, fingerprint=text)

    def _stamp(self, view: View) -> str:
        return self._project.path(stamp_path(layout.folder_of(view.environment), view.name))


def renew(stamp: str, file: str, text: str) -> None:
    """Give a stamp new content, and a time after that of the file that depends on it."""
    write(stamp, f"{text}\n".encode(), is_durable=False)
    after = _time_ns(file)
    if os.stat(stamp).st_mtime_ns <= after:
        os.utime(stamp, ns=(after + _STEP_NS, after + _STEP_NS))


def date_back(stamp: str, file: str) -> None:
    """Make a stamp older than the file that depends on it."""
    before = _time_ns(file) - _STEP_NS
    if not os.path.exists(stamp):
        write(stamp, b"current\n", is_durable=False)
    if os.stat(stamp).st_mtime_ns > before:
        os.utime(stamp, ns=(before, before))


def expected(project: Project, view: View) -> ViewDocument | None:
    """What the view will be, as Snakemake found when it looked last; None: what it is."""
    folder = layout.folder_of(view.environment)
    looked = _time_ns(project.path(stamp_path(folder, view.name)))
    if looked <= _time_ns(project.path(layout.view_file(view.environment, view.name))):
        return None  # it was written since
    where = _expected_path(project, view)
    content = _content(where)
    try:
        return None if content is None else view_document.decode(content, where)
    except EnvstageError:
        return None


def _expected_path(project: Project, view: View) -> str:
    return os.path.join(project.state, "expected", view.environment, f"{view.name}.json")


def _holds(found: Predicted, view: View, content: bytes | None) -> bool:
    if found.held:
        return True
    document = found.views.get(view.name)
    return document is not None and content == view_document.encode(document)


def _refuse(view: View, document: ViewDocument, content: bytes) -> None:
    where = layout.view_file(view.environment, view.name)
    committed = view_document.decode(content, where)
    raise DiffersError(
        "this machine differs from the committed view: "
        + (short(differences(committed.facts, document.facts)) or "other facts are selected"),
        where=where,
        fix="`envstage check` shows everything that differs",
    )


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _time_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
