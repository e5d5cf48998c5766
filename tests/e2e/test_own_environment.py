"""envstage keeps out of its own pictures: as a tool, and inside the training environment."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline
from tests.wheels import UV, Venv

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
VIEW = "environment/views/train.json"


@pytest.fixture(scope="module")
def own_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """envstage's own wheel, built once."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def with_envstage(own_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A virtual environment with envstage and what it needs, from where the tests run."""
    venv = Venv(tmp_path_factory.mktemp("inside") / "venv")
    subprocess.run(
        [UV, "pip", "install", "-q", "--python", str(venv.python), str(own_wheel)],
        check=True,
        capture_output=True,
    )
    yield venv.folder


def inside(pipeline: Pipeline, with_envstage: Path) -> Pipeline:
    """Move the pipeline into that environment: alpha and beta beside envstage."""
    folder = pipeline.base / "with-envstage"
    shutil.copytree(with_envstage, folder, symlinks=True)
    pipeline.venv = Venv.at(folder)
    pipeline.install("alpha", "1.0")
    pipeline.install("beta", "1.0")
    # Its script names the environment that it was copied from.
    (pipeline.venv.bin / "envstage").write_text(
        f'#!/bin/sh\nexec "{pipeline.venv.python}" -m envstage "$@"\n'
    )
    return pipeline


def packages(pipeline: Pipeline, path: str) -> set[str]:
    return set(json.loads(pipeline.read(path))["facts"]["packages"])


@pytest.mark.hard_case(13)
def test_as_a_tool_it_describes_the_stages_interpreter(pipeline: Pipeline) -> None:
    # This is how all these tests run it: its own environment has dvc and pytest.
    assert packages(pipeline, VIEW) == {"alpha", "beta"}
    assert packages(pipeline, "environment/environment.json") == {"alpha", "beta"}
    assert "pytest" not in pipeline.read("environment/requirements.txt")


def test_called_by_path_with_no_environment_active(pipeline: Pipeline) -> None:
    # `python: auto` means what the stage's command would start, never envstage's own.
    before = pipeline.files()
    output = pipeline.run(sys.executable, "-m", "envstage", "capture")
    assert "unchanged" in output
    assert pipeline.files() == before


@pytest.mark.hard_case(27)
def test_installed_beside_the_training_packages_nothing_reruns(
    pipeline: Pipeline, with_envstage: Path
) -> None:
    before = pipeline.files()
    pipeline = inside(pipeline, with_envstage)
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    assert "Stage 'train' didn't change, skipping" in output
    assert pipeline.files() == before


def test_its_own_dependency_counts_once_the_project_asks_for_it(
    pipeline: Pipeline, with_envstage: Path
) -> None:
    # uv marks everything as requested, so that its mark says nothing.
    pipeline = inside(pipeline, with_envstage)
    before = packages(pipeline, VIEW)
    pipeline.write("requirements-train.txt", "alpha\nGitPython>=3  # reads the history\n")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    assert packages(pipeline, VIEW) == before | {"gitpython", "gitdb", "smmap"}


def test_its_own_dependency_counts_once_pip_was_asked_for_it(
    pipeline: Pipeline, with_envstage: Path
) -> None:
    pipeline = inside(pipeline, with_envstage)
    before = packages(pipeline, VIEW)
    for info in pipeline.venv.site.glob("*.dist-info"):
        (info / "INSTALLER").write_text("pip\n")
        if info.name.partition("-")[0] not in ("envstage", "smmap"):
            (info / "REQUESTED").unlink(missing_ok=True)
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    assert packages(pipeline, VIEW) == before | {"smmap"}


def test_its_own_dependency_counts_once_another_package_needs_it(
    pipeline: Pipeline, with_envstage: Path
) -> None:
    pipeline = inside(pipeline, with_envstage)
    pipeline.install("gamma", "1.0", requires=["PyYAML; extra == 'files'"])
    pipeline.repro()
    assert packages(pipeline, VIEW) == {"alpha", "beta", "gamma", "pyyaml"}


def test_its_own_dependency_counts_once_it_is_used(guarded: Pipeline, with_envstage: Path) -> None:
    pipeline = inside(guarded, with_envstage)
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.write("train.py", pipeline.read("train.py") + "import yaml\n")
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment", "train"}
    # Of alpha, beta and what is used: the others of envstage's are in no picture, nor counted.
    assert "view train: 2 of 3 packages used" in output
    assert packages(pipeline, VIEW) == {"alpha", "pyyaml"}
    version_of(pipeline, "pyyaml", "99.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}


@pytest.mark.hard_case(28)
def test_upgrade_of_envstage_reruns_nothing(pipeline: Pipeline, with_envstage: Path) -> None:
    pipeline = inside(pipeline, with_envstage)
    version_of(pipeline, "envstage", "99.0")
    before = pipeline.files()
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.files() == before


def version_of(pipeline: Pipeline, name: str, version: str) -> None:
    """Let an installed distribution say that it is another version."""
    metadata = next(pipeline.venv.site.glob(f"{name}-*.dist-info")) / "METADATA"
    lines = metadata.read_text().splitlines(keepends=True)
    number = next(index for index, line in enumerate(lines) if line.startswith("Version: "))
    lines[number] = f"Version: {version}\n"
    metadata.write_text("".join(lines))
