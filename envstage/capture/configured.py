"""Views that stages depend on and that the configuration does not know."""

import os

from envstage import layout
from envstage.errors import CaptureError
from envstage.project import Project
from envstage.yaml_node import nearest


def require_configured(project: Project) -> None:
    """Refuse a view's file that no view of the configuration writes: a stage may depend on it,
    and would pass as up to date for ever (a name misspelt, an entry deleted)."""
    for environment in project.config.environments:
        known = {view.name for view in project.config.views_of(environment.name)}
        folder = project.path(layout.file_of(environment.name, layout.VIEWS))
        names = os.listdir(folder) if os.path.isdir(folder) else []
        for name in sorted(each[:-5] for each in names if each.endswith(".json")):
            if name not in known:
                raise CaptureError(
                    "no view of the configuration has this name, so nothing keeps it current",
                    where=layout.view_file(environment.name, name),
                    fix=nearest(name, known)
                    or f"Add `{name}` under `views:`, or delete the file if no stage needs it",
                )
