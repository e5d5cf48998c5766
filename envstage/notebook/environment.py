"""Capture the environment as a dict and save it: the first two functions of the usage guide."""

import json
import os
from collections.abc import Mapping
from typing import Any

from envstage import layout
from envstage.errors import EnvstageError
from envstage.export.packages import Package
from envstage.export.pins import extra_indexes
from envstage.notebook.captured import capture
from envstage.notebook.guide import guide
from envstage.snapshot.canonical import canonical, parsed
from envstage.snapshot.files import write
from envstage.snapshot.secrets import holds_secret, without_secret_words
from envstage.snapshot.withheld import without_secret_texts


def capture_environment() -> dict[str, Any]:
    """Describe the running interpreter, its packages and the machine, as plain JSON values.

    Call it before training starts. It takes about 0.2 s, imports no framework and does not start
    CUDA. Secrets are never part of it.

    Returns:
        A dict with these keys; a version is None where the package is not installed:

        - `python_version`: `sys.version`; `python_version_short`: `"3.11.4"`
        - `platform`, `platform_system`, `platform_release`: as the module `platform` says
        - `packages`: version by name (PEP 503 spelling: lower case, `-`), every distribution that
          `pip freeze` lists
        - `pip_freeze`: the same as lines of a requirements file, with the origin of what came from
          a URL or a repository
        - `torch_version` (with its build: `"2.1.0+cu121"`), `transformers_version`,
          `numpy_version`
        - `cuda_available`: a GPU is visible to this process (`CUDA_VISIBLE_DEVICES`), and PyTorch,
          if installed, is built for CUDA
        - `cuda_version`: what the framework was compiled for; `cudnn_version`; both None where no
          CUDA is available
        - `gpu_name`: the model, several different ones with commas; `gpu_count`: how many
        - `envstage`: `snapshot`, the document that `envstage` commands read, `tooling`, the
          packages that no result depends on, `set_by_program`, the watched variables that this
          program changed after Python started (the snapshot has them as they were: what a
          program sets is part of the program), and `notes`, what is worth a look

    Raises:
        CaptureError: the interpreter cannot be described.
    """
    return dict(capture().info)


def save_environment_snapshot(
    env_info: Mapping[str, Any], output_dir: str | os.PathLike[str] = "./environment"
) -> tuple[str, str, str]:
    """Write requirements.txt, environment.json and REPRODUCE.md.

    Args:
        env_info: from `capture_environment()`, or a dict with at least `packages` or
            `pip_freeze`.
        output_dir: the folder; it is created. Files that are already as they should be are left
            alone, with their time.

    Returns:
        The three paths, in the order named above.

    Raises:
        EnvstageError: a file cannot be written; or the folder holds the snapshot of a pipeline,
            which is `envstage capture`'s to write.
    """
    folder = os.fspath(output_dir)
    paths = (
        os.path.join(folder, layout.REQUIREMENTS),
        os.path.join(folder, layout.SNAPSHOT),
        os.path.join(folder, layout.REPRODUCE),
    )
    _refuse_pipeline(paths[1])
    contents = (
        requirements_text(env_info).encode(),
        canonical(without_secret_texts(_plain(env_info), holds_secret)),
        guide(env_info).encode(),
    )
    for path, content in zip(paths, contents, strict=True):
        write(path, content)
    return paths


def requirements_text(env_info: Mapping[str, Any]) -> str:
    """The lines of `pip_freeze`, below the indexes that PyTorch's builds come from."""
    packages = {str(name): str(version) for name, version in env_info.get("packages", {}).items()}
    frozen = env_info.get("pip_freeze")
    if frozen is None:
        frozen = "".join(f"{name}=={version}\n" for name, version in sorted(packages.items()))
    indexes = extra_indexes(
        tuple(Package(name=name, version=version) for name, version in packages.items())
    )
    listed = without_secret_words(str(frozen), holds_secret)
    return "".join(f"--extra-index-url {url}\n" for url in indexes) + listed


def _plain(env_info: Mapping[str, Any]) -> Any:
    """The dict as JSON; what JSON has no word for (a `torch.version`, a path) becomes its text."""
    return json.loads(json.dumps(dict(env_info), default=str))


def _refuse_pipeline(path: str) -> None:
    """A pipeline's own snapshot is another stage's output: overwriting it would rerun stages."""
    try:
        with open(path, "rb") as file:
            document = parsed(file.read())
    except (OSError, ValueError):
        return
    if isinstance(document, dict) and "schema" in document and "fingerprint" in document:
        raise EnvstageError(
            "is the snapshot of this project's pipeline",
            where=path,
            fix="Give another folder, such as `runs/1/environment`; `envstage capture` writes "
            "this one",
        )
