"""The environment as a stage of a real DVC pipeline: what reruns, and what does not."""

from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A tracked pipeline with two packages, alpha (used) and beta (not used)."""
    made = Pipeline(tmp_path).create()
    made.install("alpha", "1.0")
    made.install("beta", "1.0")
    made.track("train", options="--no-guard")
    assert made.ran(made.repro()) == {"environment", "train"}
    made.commit("first run")
    return made


def test_nothing_changed(pipeline: Pipeline) -> None:
    before = pipeline.files()
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    assert "Stage 'train' didn't change, skipping" in output
    assert pipeline.files() == before
    assert pipeline.status() == ""


def test_there_and_back_again(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    assert pipeline.read("model.txt") == "alpha 2.0\n"
    pipeline.install("alpha", "1.0")
    output = pipeline.repro()
    assert "Stage 'train' is cached - skipping run" in output
    assert pipeline.read("model.txt") == "alpha 1.0\n"
    assert pipeline.status() == ""
