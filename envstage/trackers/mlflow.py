"""MLflow: artifacts, tags and params of a run; from a model back to its snapshot.

https://mlflow.org/docs/latest/ml/tracking/. Names are without dots, so that a filter needs no
quotes: `params.env_torch = '2.7.1'`, `tags.environment_fingerprint = 'e-…'`.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from envstage.errors import EnvstageError
from envstage.trackers.interface import FOLDER, SNAPSHOT, Files, key_versions, snapshot_document
from envstage.trackers.model_requirements import Disagreement, disagreements

NAME: Final = "mlflow"
FINGERPRINT_TAG: Final = "environment_fingerprint"
_MODELS: Final = "models:/"
_PROGRESS_BAR: Final = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"


def log_environment_to_mlflow(
    req_path: str | os.PathLike[str],
    env_path: str | os.PathLike[str],
    repro_path: str | os.PathLike[str],
    env_info: Mapping[str, Any],
) -> str:
    """Record the environment with the active MLflow run.

    The run's artifacts get the folder `environment` with the three files and `snapshot.json`; its
    tags `environment_fingerprint`; its params `env_python`, `env_torch`, `env_transformers`,
    `env_numpy`, `env_cuda`, `env_cudnn`, `env_gpu`, those that there are. MLflow's params are
    final: of a resumed run they tell the first environment, tags and artifacts the newest.

    Args:
        req_path: the path of requirements.txt.
        env_path: the path of environment.json.
        repro_path: the path of REPRODUCE.md.
        env_info: from `capture_environment()`.

    Returns:
        The run's id: `envstage diff mlflow:<id>` compares it with this machine.

    Raises:
        ImportError: mlflow is not installed (`pip install 'envstage[mlflow]'`).
        RuntimeError: there is no active run: use `with mlflow.start_run():`.
    """
    files = Files(
        requirements=os.fspath(req_path),
        environment=os.fspath(env_path),
        reproduce=os.fspath(repro_path),
    )
    return log(files, env_info)


def log(files: Files, env_info: Mapping[str, Any]) -> str:
    """Record it (see `log_environment_to_mlflow`)."""
    import mlflow

    active = mlflow.active_run()
    if active is None:
        raise RuntimeError("No active MLflow run. Use `with mlflow.start_run():`.")
    run_id = str(active.info.run_id)
    for path in files.all:
        mlflow.log_artifact(path, artifact_path=FOLDER)
    document = snapshot_document(env_info)
    if document is not None:
        mlflow.log_text(document.decode("ascii"), f"{FOLDER}/{SNAPSHOT}")
    versions = key_versions(env_info)
    fingerprint = versions.pop("fingerprint", None)
    if fingerprint is not None:
        mlflow.set_tag(FINGERPRINT_TAG, fingerprint)
    known = mlflow.get_run(run_id).data.params
    params = {f"env_{name}": value for name, value in versions.items()}
    mlflow.log_params({name: value for name, value in params.items() if name not in known})
    return run_id


def fetch(reference: str) -> bytes:
    """The snapshot's document of a run or of a registered model.

    Args:
        reference: a run's id, or `models:/<name>/<version>`, `models:/<name>@<alias>`.

    Raises:
        EnvstageError: mlflow is not installed, there is no such run or model, or nothing of ours
            in it.
    """
    try:
        import mlflow
    except ImportError:
        raise EnvstageError(
            "mlflow is not installed",
            where=f"mlflow:{reference}",
            fix="pip install 'envstage[mlflow]'",
        ) from None
    try:
        run_id = _run_of(reference) if reference.startswith(_MODELS) else reference
        with _without_progress_bar():
            text = mlflow.artifacts.load_text(f"runs:/{run_id}/{FOLDER}/{SNAPSHOT}")
    except (mlflow.exceptions.MlflowException, OSError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise EnvstageError(
            f"gives no snapshot: {reason}",
            where=f"mlflow:{reference}",
            fix="Name a run that `log_environment_to_mlflow` recorded, and its server in "
            "MLFLOW_TRACKING_URI",
        ) from None
    return str(text).encode()


def tag_model_version(name: str, version: str | int) -> str:
    """Copy the fingerprint from a registered model's run to the model's version, as a tag.

    Args:
        name: the registered model.
        version: its version.

    Returns:
        The fingerprint. With the tag a search over models finds it:
        `tags.environment_fingerprint = 'e-…'`.

    Raises:
        ImportError: mlflow is not installed.
        EnvstageError: the model was logged in a run without a recorded environment.
    """
    import mlflow

    client = mlflow.MlflowClient()
    run_id = client.get_model_version(name, str(version)).run_id
    fingerprint = client.get_run(run_id).data.tags.get(FINGERPRINT_TAG) if run_id else None
    if fingerprint is None:
        raise EnvstageError(
            "its run has no recorded environment",
            where=f"models:/{name}/{version}",
            fix="Call `log_environment_to_mlflow` in the run that logs the model",
        )
    client.set_model_version_tag(name, str(version), FINGERPRINT_TAG, fingerprint)
    return str(fingerprint)


def compare_model_requirements(
    model_uri: str, env_info: Mapping[str, Any]
) -> tuple[Disagreement, ...]:
    """Where the requirements.txt that MLflow put into a model is not the environment.

    MLflow infers these requirements; what a model is served with should be what it was trained
    with.

    Args:
        model_uri: `runs:/<id>/<path>`, `models:/<name>/<version>`, or a folder.
        env_info: from `capture_environment()`.

    Returns:
        One entry for each requirement that the environment does not meet, or that pins nothing;
        empty where every line is met.

    Raises:
        ImportError: mlflow is not installed.
    """
    import mlflow

    path = mlflow.pyfunc.get_model_dependencies(model_uri)
    with open(path, encoding="utf-8") as file:
        return disagreements(file.read(), env_info["packages"])


@contextlib.contextmanager
def _without_progress_bar() -> Iterator[None]:
    """MLflow draws one on the terminal for a file of 50 kB, unless this variable is set."""
    before = os.environ.get(_PROGRESS_BAR)
    os.environ[_PROGRESS_BAR] = "false"
    try:
        yield
    finally:
        del os.environ[_PROGRESS_BAR]
        if before is not None:
            os.environ[_PROGRESS_BAR] = before


def _run_of(model_uri: str) -> str:
    """The run that a registered model's version was logged in."""
    import mlflow

    client = mlflow.MlflowClient()
    name = model_uri.removeprefix(_MODELS)
    if "@" in name:
        found = client.get_model_version_by_alias(*name.rsplit("@", 1))
    else:
        found = client.get_model_version(*name.rsplit("/", 1))
    return str(found.run_id)
