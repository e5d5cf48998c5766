"""The workflow templates: in the package once it is installed, beside it in a checkout."""

import os

from envstage.errors import EnvstageError

FOLDER = "workflow_templates"


def template(*parts: str) -> str:
    """The text of a template: `template("dvc", "dvc.yaml")`; errors as for `template_path`."""
    with open(template_path(*parts), encoding="utf-8", newline="") as file:
        return file.read()


def template_path(*parts: str) -> str:
    """Where a template lies.

    Raises:
        EnvstageError: the installation lacks it.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (package, os.path.dirname(package)):
        path = os.path.join(folder, FOLDER, *parts)
        if os.path.isfile(path):
            return path
    raise EnvstageError(
        f"the template {'/'.join(parts)} is missing from this installation",
        fix="Install envstage again",
    )
