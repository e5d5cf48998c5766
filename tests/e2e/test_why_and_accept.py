"""Every rerun explained; a harmless difference accepted, on record, without a rerun."""

import json
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    made = Pipeline(tmp_path).create()
    made.install("alpha", "1.0")
    made.track("train")
    made.repro()
    made.commit("first run")
    return made


def test_why_names_the_facts_of_the_last_and_the_next_run(pipeline: Pipeline) -> None:
    first = pipeline.run("envstage", "why", "train")
    assert "no earlier run with another view" in first
    assert "its environment is what it was at its last run" in first
    pipeline.install("alpha", "2.0")
    pipeline.repro()
    last = pipeline.run("envstage", "why", "train")
    assert "it ran again because of:\n    packages.alpha  1.0 → 2.0 (upgrade)" in last
    pipeline.install("alpha", "3.0")
    pipeline.run("envstage", "capture")
    following = json.loads(pipeline.run("envstage", "why", "--json", "train"))
    addresses = [each["address"] for each in following[0]["next"]]
    assert addresses == ["packages.alpha.build", "packages.alpha.version"]


def test_why_of_a_stage_that_is_not_tracked(pipeline: Pipeline) -> None:
    output = pipeline.run("envstage", "why", "nonesuch", code=2)
    assert "no stage `nonesuch` depends on a view (tracked: train)" in output


def test_accepted_difference_reruns_nothing_then_or_later(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    pipeline.run("envstage", "capture")
    output = pipeline.run("envstage", "accept", "train", "--yes", "-m", "only docs changed")
    assert "packages.alpha  1.0 → 2.0 (upgrade)" in output
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.read("model.txt") == "alpha 1.0\n"
    record = json.loads(pipeline.read("environment/accepted.json"))
    assert record[0]["who"] == "Ada"
    assert record[0]["why"] == "only docs changed"
    assert "accepted by Ada" in pipeline.run("envstage", "why", "train")


def test_accept_refuses_where_code_changed_as_well(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    pipeline.run("envstage", "capture")
    pipeline.write("train.py", pipeline.read("train.py") + "# changed\n")
    output = pipeline.run("envstage", "accept", "train", "--yes", "-m", "harmless", code=2)
    assert "train.py is modified" in output
    assert "train" in pipeline.ran(pipeline.repro())
