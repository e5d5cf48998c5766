"""A view of several instances: observations collect, `track --update` narrows, nothing reruns."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Once
from tests.e2e.pipeline import FOREACH_TRAIN, FOREACH_YAML, Pipeline

pytestmark = pytest.mark.e2e


@pytest.fixture
def pipeline(once: Once) -> Pipeline:
    return once(__name__, made_pipeline)


def made_pipeline(base: Path) -> Pipeline:
    made = Pipeline(base).create(FOREACH_YAML, **{"train.py": FOREACH_TRAIN})
    for name in ("alpha", "beta", "gamma"):
        made.install(name, "1.0")
    made.track("train")
    output = made.repro()
    assert made.ran(output) == {"environment", "train@alpha", "train@beta"}
    assert "view train is shared" in output
    made.commit("first run")
    return made


def packages(pipeline: Pipeline) -> set[str]:
    document = json.loads(pipeline.read("environment/views/train.json"))
    return set(document["facts"]["packages"])


def test_one_run_does_not_narrow(pipeline: Pipeline) -> None:
    assert packages(pipeline) == {"alpha", "beta", "gamma"}
    assert pipeline.ran(pipeline.repro()) == {"environment"}


def test_update_narrows_to_the_union_without_a_rerun(pipeline: Pipeline) -> None:
    output = pipeline.run("envstage", "track", "--update", "train")
    assert "narrowed to 2 of 3 packages, for train@alpha, train@beta" in output
    assert packages(pipeline) == {"alpha", "beta"}
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.install("gamma", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.install("beta", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train@alpha", "train@beta"}


def test_update_refuses_what_was_never_observed(pipeline: Pipeline) -> None:
    text = pipeline.read("dvc.yaml").replace("[alpha, beta]", "[alpha, beta, gamma]")
    pipeline.write("dvc.yaml", text.replace("envstage run --view train -- ", ""))
    pipeline.repro()
    output = pipeline.run("envstage", "track", "--update", "train", code=2)
    assert "stage train@gamma: has not been observed yet" in output


def test_a_run_that_uses_more_grows_a_narrowed_view(pipeline: Pipeline) -> None:
    pipeline.run("envstage", "track", "--update", "train")
    text = pipeline.read("dvc.yaml").replace("[alpha, beta]", "[alpha, beta, gamma]")
    pipeline.write("dvc.yaml", text)
    output = pipeline.repro()
    assert "train@gamma" in pipeline.ran(output)
    assert "shared and grew: 3 of 3 packages" in output
    assert packages(pipeline) == {"alpha", "beta", "gamma"}
    pipeline.repro()
    assert pipeline.ran(pipeline.repro()) == {"environment"}


def test_adopting_with_accept_reruns_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path).create()
    pipeline.install("alpha", "1.0")
    pipeline.repro()
    pipeline.commit("results that stand")
    pipeline.run("envstage", "init", "dvc", "--yes")
    pipeline.run("envstage", "track", "--yes", "--accept", "train")
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.install("alpha", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}


def test_adopting_without_accept_reruns_once(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path).create()
    pipeline.install("alpha", "1.0")
    pipeline.repro()
    pipeline.track("train")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    assert pipeline.ran(pipeline.repro()) == {"environment"}
