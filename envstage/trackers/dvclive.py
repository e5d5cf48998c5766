"""DVCLive: the columns of the environment stage as params of the experiment.

https://dvc.org/doc/dvclive/live/log_params. The names and values are those of
`environment/summary.json`, so that an experiment with an environment stage and one without
agree in `dvc exp show`.
"""

from collections.abc import Mapping
from typing import Any, Final

from envstage.capture.summary import KEY, summary_of
from envstage.config import Config
from envstage.errors import EnvstageError
from envstage.project import open_project
from envstage.snapshot.document import snapshot_fingerprint
from envstage.trackers.interface import Files, key_versions, snapshot_of

NAME: Final = "dvclive"


def log_environment_to_dvclive(live: Any, env_info: Mapping[str, Any]) -> dict[str, Any]:
    """Log the environment's columns as params of a `dvclive.Live`.

    Args:
        live: the `dvclive.Live` of the experiment.
        env_info: from `capture_environment()`.

    Returns:
        What was logged: the columns that the configuration chooses, and the fingerprint, under
        `env`.
    """
    params = columns(env_info)
    live.log_params(params)
    return params


def log(files: Files, env_info: Mapping[str, Any]) -> str:
    """Log the columns and the three files with a `Live` of its own, in the folder `dvclive`.

    Raises:
        ImportError: dvclive is not installed (`pip install 'envstage[dvclive]'`).
    """
    from dvclive import Live

    # A stage's own Live writes the report and the experiment: this one only adds to it.
    with Live(resume=True, report=None, save_dvc_exp=False, dvcyaml=None) as live:
        log_environment_to_dvclive(live, env_info)
        for path in files.all:
            live.log_artifact(path, copy=True, cache=False)
        return str(live.dir)


def columns(env_info: Mapping[str, Any]) -> dict[str, Any]:
    """The columns as the stage writes them into `summary.json`."""
    snapshot = snapshot_of(env_info)
    if snapshot is None:
        return {KEY: key_versions(env_info)}
    return summary_of(snapshot, snapshot_fingerprint(snapshot), _config().columns)


def _config() -> Config:
    try:
        return open_project(".").config
    except EnvstageError:
        return Config()
