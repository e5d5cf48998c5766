"""Weights & Biases: a versioned artifact, and the key versions in the run's config.

https://docs.wandb.ai/guides/artifacts/. Offline runs work: `wandb sync` uploads them later.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from envstage.trackers.interface import SNAPSHOT, Files, key_versions, snapshot_document

NAME: Final = "wandb"
# As the keys of `capture_environment`, so that a filter in W&B reads like the dict.
_CONFIG_KEYS: Final = {
    "python": "python_version",
    "torch": "torch_version",
    "transformers": "transformers_version",
    "numpy": "numpy_version",
    "cuda": "cuda_version",
    "cudnn": "cudnn_version",
    "gpu": "gpu_name",
    "fingerprint": "environment_fingerprint",
}


def log_environment_to_wandb(
    req_path: str | os.PathLike[str],
    env_path: str | os.PathLike[str],
    repro_path: str | os.PathLike[str],
    env_info: Mapping[str, Any],
) -> None:
    """Record the environment with the active W&B run.

    The artifact `<run>-environment`, of type `environment`, holds the three files and
    `snapshot.json`, which `envstage diff` reads. The run's config gets `python_version` (short),
    `torch_version`, `transformers_version`, `numpy_version`, `cuda_version`, `cudnn_version`,
    `gpu_name` (those that there are) and `environment_fingerprint`.

    Args:
        req_path: the path of requirements.txt.
        env_path: the path of environment.json.
        repro_path: the path of REPRODUCE.md.
        env_info: from `capture_environment()`.

    Raises:
        ImportError: wandb is not installed (`pip install 'envstage[wandb]'`).
        RuntimeError: there is no active run: call `wandb.init()` first.
    """
    files = Files(
        requirements=os.fspath(req_path),
        environment=os.fspath(env_path),
        reproduce=os.fspath(repro_path),
    )
    log(files, env_info)


def log(files: Files, env_info: Mapping[str, Any]) -> str:
    """Record it (see `log_environment_to_wandb`); returns the artifact's name."""
    import wandb

    run = wandb.run
    if run is None:
        raise RuntimeError("No active W&B run. Call wandb.init() first.")
    versions = key_versions(env_info)
    name = artifact_name(run.name or run.id)
    artifact = wandb.Artifact(name=name, type="environment", metadata=versions)
    for path in files.all:
        artifact.add_file(path, name=os.path.basename(path))
    document = snapshot_document(env_info)
    if document is not None:
        with artifact.new_file(SNAPSHOT, mode="wb") as file:
            file.write(document)
    run.log_artifact(artifact)
    # A resumed run may have another environment than its first part: the newest is shown.
    run.config.update(
        {_CONFIG_KEYS[key]: value for key, value in versions.items()}, allow_val_change=True
    )
    return name


def artifact_name(run: str) -> str:
    """`<run>-environment`, with `-` for what W&B allows in no artifact's name; 128 at most."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", run)[:115] + "-environment"
