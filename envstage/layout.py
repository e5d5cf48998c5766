"""Where things lie in a user's repository. Every path here is relative to the project, with `/`."""

from typing import Final

FOLDER: Final = "environment"
MAIN: Final = "main"
STATE_FOLDER: Final = ".envstage"
CONFIG_FILE: Final = "envstage.yaml"
PARAMS_FILE: Final = "params.yaml"

# Written by the provided Snakemake rule where the workflow's own configuration has our section.
WORKFLOW_CONFIG: Final = ".envstage/workflow.json"

SNAPSHOT: Final = "environment.json"
SUMMARY: Final = "summary.json"
REQUIREMENTS: Final = "requirements.txt"
REPRODUCE: Final = "REPRODUCE.md"
FACETS: Final = "facets"
VIEWS: Final = "views"
RECEIPTS: Final = "receipts"
# Edits of checkouts that the environment has installed, by digest: `capture --archive-diffs`.
DIFFS: Final = "diffs"
CONTEXT: Final = "context.json"
IGNORE: Final = ".gitignore"

# Beside the snapshot; committed, so that DVC never has to write one itself (dvc issue 11091).
IGNORED: Final = (f"/{FACETS}", f"/{CONTEXT}")


def folder_of(environment: str) -> str:
    """The folder of an environment: `environment`, or `environment/gpu` for a further one."""
    return FOLDER if environment == MAIN else f"{FOLDER}/{environment}"


def file_of(environment: str, name: str) -> str:
    """One of the files of an environment: `environment/gpu/summary.json`."""
    return f"{folder_of(environment)}/{name}"


def receipt_file(environment: str, view: str, instance: str = "") -> str:
    """The receipt of a stage's last run, by its view: an out of the stage.

    Args:
        instance: what tells the instances of a `foreach` or `matrix` stage apart (`${item}`).
    """
    name = f"{view}-{instance}" if instance else view
    return f"{folder_of(environment)}/{RECEIPTS}/{name}.json"


def view_file(environment: str, view: str) -> str:
    """The file of a view: what stages depend on."""
    return f"{folder_of(environment)}/{VIEWS}/{view}.json"
