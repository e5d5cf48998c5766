"""Has the page of an environment's snapshot to be written again? Said by a stamp, as for views.

The page shows the snapshot, which is written whenever one of the environment's views is. It must
not depend on the views' files themselves: these are finalised after jobs that come later.
"""

from typing import Final

from envstage import layout
from envstage.errors import EnvstageError
from envstage.export.html import fingerprint_in
from envstage.pipelines.snakemake_stamps import FOLDER, date_back, renew
from envstage.project import Project
from envstage.snapshot.document import decode, snapshot_fingerprint
from envstage.world import World

PAGE: Final = "report.html"


def page_stamp_path(environment: str) -> str:
    """The stamp of an environment's page, relative to the project."""
    return f"{layout.STATE_FOLDER}/{FOLDER}/reports/{environment}"


def set_page_stamp(world: World, project: Project, environment: str, *, is_anew: bool) -> None:
    """Say whether an environment's page has to be written again.

    Args:
        is_anew: whether its snapshot itself is about to be.
    """
    page = project.path(layout.file_of(environment, PAGE))
    stamp = project.path(page_stamp_path(environment))
    shown = fingerprint_in(_read(page).decode("utf-8", "replace"))
    if shown and not is_anew and shown == _fingerprint(project, environment):
        date_back(stamp, page)
    else:
        renew(stamp, page, f"{shown} {world.time_ns()}")


def _fingerprint(project: Project, environment: str) -> str:
    path = project.path(layout.file_of(environment, layout.SNAPSHOT))
    try:
        return snapshot_fingerprint(decode(_read(path), path))
    except EnvstageError:
        return ""  # the job says what is wrong with it


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
