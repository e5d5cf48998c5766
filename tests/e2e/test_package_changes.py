"""What was installed changes: the stages that depend on it rerun, and nothing else does."""

from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline
from tests.sources import commit_all, source_project
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e

BOTH = {"environment", "train"}


def assert_restored(pipeline: Pipeline) -> None:
    """Back in the committed environment the result comes from the run cache."""
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    assert "Stage 'train' is cached - skipping run, checking out outputs" in output
    assert pipeline.status() == ""


@pytest.mark.parametrize("version", ["2.0", "0.9"])
def test_upgraded_or_downgraded(pipeline: Pipeline, version: str) -> None:
    pipeline.install("beta", version)
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.install("beta", "1.0")
    assert_restored(pipeline)


def test_added_and_removed(pipeline: Pipeline) -> None:
    pipeline.install("gamma", "1.0")
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.venv.uninstall("gamma")
    assert_restored(pipeline)
    pipeline.venv.uninstall("beta")
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.install("beta", "1.0")
    assert_restored(pipeline)


@pytest.mark.hard_case(21)
def test_same_version_other_build(pipeline: Pipeline) -> None:
    pipeline.install("beta", "1.0", files={"beta/__init__.py": "version = '1.0'\nfast = True\n"})
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.install("beta", "1.0")
    assert_restored(pipeline)


@pytest.mark.hard_case(41)
def test_same_files_installed_again_or_described_otherwise(pipeline: Pipeline) -> None:
    before = pipeline.files()
    pipeline.venv.uninstall("beta")
    pipeline.install("beta", "1.0", description="Another README.", build="7")
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    assert "Stage 'train' didn't change" in output
    assert pipeline.files() == before


@pytest.mark.hard_case(22)
def test_installed_by_pip_instead_of_uv(pipeline: Pipeline) -> None:
    before = pipeline.files()
    pipeline.venv.pip_install(build_wheel(pipeline.wheelhouse, "beta", "1.0"))
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.files() == before


@pytest.mark.hard_case(40)
def test_same_files_from_an_archive(pipeline: Pipeline) -> None:
    # With the build digest known, the origin is kept for rebuilding and does not count.
    pipeline.venv.install_direct(build_wheel(pipeline.wheelhouse, "beta", "1.0"))
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    assert "Stage 'train' didn't change" in output


def test_other_files_from_an_archive(pipeline: Pipeline) -> None:
    changed = {"beta/__init__.py": "version = '1.0'\npatched = True\n"}
    wheel = build_wheel(pipeline.wheelhouse, "beta", "1.0", files=changed)
    pipeline.venv.install_direct(wheel)
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.install("beta", "1.0")
    assert_restored(pipeline)


@pytest.mark.hard_case(27)
def test_linters_and_installers_change_nothing(pipeline: Pipeline) -> None:
    before = pipeline.read("environment/views/train.json")
    for name in ("pip", "uv", "setuptools", "wheel"):
        pipeline.install(name, "99.0")
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.read("environment/views/train.json") == before


@pytest.mark.hard_case(40)
def test_commits_of_a_vcs_install(pipeline: Pipeline) -> None:
    project = source_project(pipeline.base / "project", "beta", "1.0")
    first = commit_all(project)
    edit(project / "beta/__init__.py", "fast = True\n")
    second = commit_all(project)
    pipeline.venv.install_direct(f"git+file://{project}@{second}")
    assert pipeline.ran(pipeline.repro()) == BOTH
    # The same files as the wheel that was there first: what can act is what counts.
    pipeline.venv.install_direct(f"git+file://{project}@{first}")
    output = pipeline.repro()
    assert "Stage 'train' is cached - skipping run" in output
    assert first in pipeline.read("environment/environment.json")


@pytest.mark.hard_case(9)
def test_editable_checkout_outside_the_repository_is_edited(pipeline: Pipeline) -> None:
    project = source_project(pipeline.base / "project", "beta", "1.0")
    pipeline.venv.install_direct("-e", project)
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.commit("an editable checkout")
    before = edit(project / "beta/__init__.py", "fast = True\n")
    assert pipeline.ran(pipeline.repro()) == BOTH
    (project / "beta/__init__.py").write_text(before)
    assert_restored(pipeline)


@pytest.mark.hard_case(9)
def test_editable_checkout_inside_the_repository_is_the_projects_own_code(
    pipeline: Pipeline,
) -> None:
    project = source_project(pipeline.root / "own", "own", "1.0")
    pipeline.venv.install_direct("-e", project)
    pipeline.repro()
    pipeline.commit("own code, installed")
    # Stages that need it have it as a dep, as all code of the repository.
    edit(project / "own/__init__.py", "fast = True\n")
    before = pipeline.files()
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.files() == before


def edit(path: Path, text: str) -> str:
    """Add lines to a file; what it was before."""
    before = path.read_text()
    path.write_text(before + text)
    return before
