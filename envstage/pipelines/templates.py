"""The workflow templates: in the package once it is installed, beside it in a checkout."""

import os

from envstage.errors import EnvstageError

FOLDER = "workflow_templates"


def template(*parts: str) -> str:
    """The text of a template: `template("dvc", "dvc.yaml")`.

    Raises:
        EnvstageError: the installation lacks it.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (package, os.path.dirname(package)):
        path = os.path.join(folder, FOLDER, *parts)
        if os.path.isfile(path):
            with open(path, encoding="utf-8", newline="") as file:
                return file.read()
    raise EnvstageError(
        f"the template {'/'.join(parts)} is missing from this installation",
        fix="Install envstage again",
    )
