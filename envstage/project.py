"""The project: the folder that holds the configuration and `environment/`."""

import os
from typing import Final

import msgspec

from envstage import config_cache, layout
from envstage import config_file as configuration
from envstage.config import Config
from envstage.errors import EnvstageError

# A folder that has one is a repository's top, and the project's where no configuration is.
MARKS: Final = (".dvc", ".git")


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project's folder (absolute) and its configuration."""

    root: str
    config: Config

    def path(self, relative: str) -> str:
        """The absolute path of a file that `envstage.layout` names."""
        return os.path.join(self.root, *relative.split("/"))

    @property
    def state(self) -> str:
        """The folder for what is neither committed nor depended on."""
        return self.path(layout.STATE_FOLDER)


def require_own_folders(project: Project) -> None:
    """Refuse folders of ours that lead out of the project: a stranger's repository may hold any.

    Raises:
        EnvstageError: with the folder.
    """
    real_root = os.path.realpath(project.root)
    for folder in own_folders(project):
        if not os.path.realpath(folder).startswith(os.path.join(real_root, "")):
            raise EnvstageError(
                "leads out of the project, and envstage writes there",
                where=os.path.relpath(folder, project.root).replace(os.sep, "/"),
                fix="Put a folder in the place of the link",
            )


def own_folders(project: Project) -> list[str]:
    """The folders that envstage writes to."""
    return [
        project.state,
        *(
            project.path(layout.file_of(each.name, name))
            for each in project.config.environments
            for name in (layout.VIEWS, layout.FACETS)
        ),
    ]


def find_root(start: str) -> str:
    """The nearest folder, upward, with a configuration of ours; else the repository's top.

    Raises:
        EnvstageError: there is neither.
    """
    folders = upward(os.path.abspath(start))
    for folder in folders:
        if configuration.exists(folder):
            return folder
    for folder in folders:
        if any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS):
            return folder
    raise EnvstageError(
        "no envstage project here: neither envstage.yaml nor a repository, up to the root",
        where=start,
        fix="Go to your pipeline's repository; in a new one, `git init`, `dvc init` and `envstage "
        "init dvc`, or `envstage init snakemake`",
    )


def open_project(start: str) -> Project:
    """Find the project around a folder and read its configuration."""
    root = find_root(start)
    return Project(root=root, config=config_cache.load(root))


def upward(folder: str) -> list[str]:
    """The folder and all above it."""
    folders = [folder]
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        folders.append(folder)
    return folders
