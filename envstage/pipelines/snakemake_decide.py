"""The main process of a workflow: the configuration it brings, and the decisions about views."""

import os
from collections.abc import Mapping
from typing import Any

from envstage import config_file as configuration
from envstage import layout
from envstage.capture.engine import as_called
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.snakemake_place import write_place
from envstage.pipelines.snakemake_stamps import Decision, Decisions
from envstage.pipelines.snakemake_usage import users_of, write_down
from envstage.project import Project
from envstage.snapshot.canonical import canonical
from envstage.snapshot.files import write
from envstage.world import Machine


def stopped(text: str) -> SystemExit:
    """Log an error in Snakemake's way; what ends Snakemake.

    Not an ordinary exception: Snakemake takes a rule whose input function fails for no producer
    of the file, and where the file is there, it goes on with it as it is (`dag.py`, `update_`).
    """
    from snakemake.logging import logger

    logger.error(f"envstage: {text}")
    return SystemExit(1)


class Answers:
    """Decides about views, once in a process."""

    def __init__(self, workflow: Any, root: str, section: Mapping[str, Any] | None) -> None:
        self._workflow = workflow
        self._root = os.path.abspath(root)
        self._section = section
        self._decisions: Decisions | None = None
        self._project: Project | None = None

    def decide(self, folder: str, name: str) -> Decision:
        """Decide about the view `name` in `environment/…`; `stopped` where nobody can."""
        try:
            return self._decide(folder, name)
        except EnvstageError as error:
            raise stopped(str(error)) from None

    def decide_page(self, environment: str) -> dict[str, bool]:
        """Set the stamp of an environment's page.

        Returns: the views after which it is written, and whether each is about to be, too.
        """
        # Only where somebody asks for a page.
        from envstage.pipelines.snakemake_page import set_page_stamp

        try:
            project = self._opened()
            project.config.environment(environment)
            used = [
                view
                for view in project.config.views_of(environment)
                if users_of(self._workflow.rules, self._output(project, view)).rules
            ]
            folder = layout.folder_of(environment)
            views = {
                self._output(project, view): not self._decide(folder, view.name).is_current
                for view in used
            }
            set_page_stamp(Machine(), project, environment, is_anew=any(views.values()))
            return views
        except EnvstageError as error:
            raise stopped(str(error)) from None

    def _decide(self, folder: str, name: str) -> Decision:
        project = self._opened()
        view = project.config.view(name)
        if layout.folder_of(view.environment) != folder:
            raise EnvstageError(
                f"the view is of the environment {view.environment}",
                where=f"{folder}/{layout.VIEWS}/{name}.json",
                fix=f"Write {layout.view_file(view.environment, name)}",
            )
        if self._decisions is None:
            self._decisions = Decisions(as_called(Machine()), project)
        is_new = not self._decisions.knows(view)
        decision = self._decisions.of(view)
        if is_new:
            self._say(view, decision)
            self._follow(project, view)
        return decision

    def _opened(self) -> Project:
        if self._project is None:
            _settle(self._root, self._section)
            self._project = Project(root=self._root, config=configuration.load(self._root))
            write_place(self._root, self._workflow)
        return self._project

    def _say(self, view: View, decision: Decision) -> None:
        from snakemake.logging import logger

        for text in decision.notes:
            logger.info(f"envstage: view {view.name}: {text}")

    def _output(self, project: Project, view: View) -> str:
        """A view's path as rules have it."""
        file = layout.view_file(view.environment, view.name)
        return os.path.relpath(project.path(file)).replace(os.sep, "/")

    def _follow(self, project: Project, view: View) -> None:
        output = self._output(project, view)
        # Views are written at once or not at all: a killed job leaves no incomplete one.
        self._workflow.persistence._unmark_incomplete(output)
        users = users_of(self._workflow.rules, output)
        write_down(project.state, layout.folder_of(view.environment), view.name, users)


def _settle(root: str, section: Mapping[str, Any] | None) -> None:
    """Write the workflow's own configuration where the commands that its jobs start find it."""
    own = os.path.join(root, layout.CONFIG_FILE)
    path = os.path.join(root, layout.WORKFLOW_CONFIG)
    if section is None:
        return
    if os.path.isfile(own):
        raise EnvstageError(
            f"both {layout.CONFIG_FILE} and the workflow's configuration have envstage's settings",
            where=layout.CONFIG_FILE,
            fix="Keep one of them",
        )
    write(path, canonical(dict(section)), is_durable=False)
