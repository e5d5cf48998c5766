"""Where a workflow runs, and where Snakemake keeps its records: written down by the main process.

The commands that a person starts later (`why`, `accept`, `track --update`) see no workflow.
"""

import os
from typing import Any, Final

import msgspec

from envstage import layout
from envstage.project import Project
from envstage.snapshot.canonical import canonical
from envstage.snapshot.files import write

_FILE: Final = "snakemake.json"
_LIMIT_BYTES: Final = 64 * 1024


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a workflow runs.

    Attributes:
        folder: its working directory, relative to the project.
        snakefile: the Snakefile's path, relative to that folder; empty: where Snakemake looks.
        database: the URL of the records' database; empty: they are files.
    """

    folder: str = "."
    snakefile: str = ""
    database: str = ""

    @property
    def above(self) -> str:
        """The way from the folder up to the project, as inputs have it: empty, or `../`."""
        return "" if self.folder == "." else "../" * (self.folder.count("/") + 1)

    def view_file(self, environment: str, view: str) -> str:
        """A view's path as the inputs of a rule have it."""
        return f"{self.above}{layout.view_file(environment, view)}"

    def options(self) -> tuple[str, ...]:
        """What `snakemake` in this folder has to be told to find the same workflow."""
        snakefile = ("--snakefile", self.snakefile) if self.snakefile else ()
        if not self.database:
            return snakefile
        url = ("--persistence-backend-db-url", self.database)
        return (*snakefile, "--persistence-backend", "db", *url)


def write_place(root: str, workflow: Any) -> None:
    """Keep where a workflow runs: here, in the current folder."""
    here = os.getcwd()
    folder = os.path.relpath(here, root).replace(os.sep, "/")
    engine = getattr(workflow.persistence, "engine", None)
    url = engine.url.render_as_string(hide_password=True) if engine is not None else ""
    snakefile = str(workflow.main_snakefile)
    if os.path.isfile(snakefile):  # and no URL
        snakefile = os.path.relpath(snakefile, here).replace(os.sep, "/")
    place = {
        "folder": folder,
        "snakefile": snakefile,
        "database": url,
    }
    path = os.path.join(root, layout.STATE_FOLDER, _FILE)
    write(path, canonical(place), is_durable=False)


def read_place(project: Project) -> Place:
    """Where the project's workflow ran last; in its folder, where nobody said."""
    try:
        with open(os.path.join(project.state, _FILE), "rb") as file:
            return msgspec.json.decode(file.read(_LIMIT_BYTES), type=Place)
    except (OSError, msgspec.DecodeError):
        return Place()
