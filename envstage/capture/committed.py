"""What an earlier capture left: the snapshot, the views, and the lock of whoever writes them."""

import contextlib
import os
from typing import Final

from envstage import layout
from envstage.capture.assemble import Earlier
from envstage.errors import CaptureError, EnvstageError, NewerSchemaError
from envstage.project import Project, require_own_folders
from envstage.snapshot.document import LIMIT_BYTES, decode
from envstage.snapshot.files import locked
from envstage.snapshot.model import Snapshot
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.document import ViewDocument

_LOCK_TIMEOUT_S: Final = 120


def project_lock(
    project: Project, *, is_reader: bool = False
) -> contextlib.AbstractContextManager[None]:
    """Held by whoever writes below `environment/`; a reader does without on a read-only disk."""
    require_own_folders(project)
    path = os.path.join(project.state, "lock")
    return locked(path, _LOCK_TIMEOUT_S, is_reader=is_reader)


def committed_snapshot(project: Project, name: str, reason: str) -> Snapshot:
    """The snapshot that is there; a `CaptureError` where there is none to hold."""
    path = project.path(layout.file_of(name, layout.SNAPSHOT))
    try:
        with open(path, "rb") as file:
            data = file.read(LIMIT_BYTES)
    except OSError:
        raise CaptureError(
            f"{reason}, and there is no snapshot to hold",
            where=f"environment {name}",
            fix="Capture it on one of its machines and commit `environment/`",
        ) from None
    return decode(data, layout.file_of(name, layout.SNAPSHOT))


def read_snapshot(project: Project, name: str) -> Snapshot | None:
    """The snapshot on disk; None where there is none that can be read.

    Raises:
        NewerSchemaError: a newer release wrote it.
    """
    try:
        return committed_snapshot(project, name, "")
    except NewerSchemaError:
        raise
    except EnvstageError:
        return None


def earlier_views(project: Project, environment: str) -> dict[str, Earlier]:
    """What each view of an environment was before, to predict it from."""
    return {
        view.name: Earlier(
            on_disk=read_view(project, environment, view.name),
            archived=archive.read(project.state, environment, view.name),
        )
        for view in project.config.views_of(environment)
    }


def read_view(project: Project, environment: str, view: str) -> ViewDocument | None:
    """The view on disk; None where there is none that can be read."""
    where = layout.view_file(environment, view)
    try:
        with open(project.path(where), "rb") as file:
            return view_document.decode(file.read(LIMIT_BYTES), where)
    except (OSError, EnvstageError):
        return None
