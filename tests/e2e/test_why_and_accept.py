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
    assert "no earlier run is known" in first
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


def test_why_does_not_put_a_change_of_the_code_down_to_an_earlier_one_of_the_environment(
    pipeline: Pipeline,
) -> None:
    pipeline.install("alpha", "2.0")
    pipeline.repro()
    pipeline.commit("alpha 2.0")
    pipeline.write("train.py", pipeline.read("train.py") + "# changed\n")
    assert "train" in pipeline.ran(pipeline.repro())
    for _ in range(2):
        output = pipeline.run("envstage", "why", "train")
        assert "last: its environment was the same; changed: train.py\n" in output
        assert "alpha" not in output
        pipeline.commit("the code")  # before and after
    found = json.loads(pipeline.run("envstage", "why", "--json", "dvc.yaml:train"))
    assert found[0]["last"] == []
    assert found[0]["last_changed"] == ["train.py"]


def test_why_names_both_where_both_changed(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    pipeline.write("train.py", pipeline.read("train.py") + "# changed\n")
    pipeline.repro()
    output = pipeline.run("envstage", "why", "train")
    assert "packages.alpha  1.0 → 2.0 (upgrade)\n    and changed: train.py\n" in output


def test_why_of_a_view_that_is_set_aside(pipeline: Pipeline) -> None:
    pipeline.write("envstage.yaml", pipeline.read("envstage.yaml").replace("auto", "nonesuch"))
    pipeline.repro(code=255)
    output = pipeline.run("envstage", "why", "train")
    assert "next: environment/views/train.json is not there: `envstage capture`" in output
    output = pipeline.run("envstage", "accept", "train", "--yes", "-m", "x", code=2)
    assert "train.json: there is no view that can be read. Run `envstage capture`." in output


def test_why_of_a_stage_that_is_not_tracked(pipeline: Pipeline) -> None:
    output = pipeline.run("envstage", "why", "nonesuch", code=2)
    assert "no stage `nonesuch` depends on a view (tracked: train). Run `envstage track" in output
    output = pipeline.run("envstage", "why", "trian", code=2)
    assert "no stage `trian` depends on a view (tracked: train). Did you mean `train`?" in output


def test_a_pipeline_that_cannot_be_read_is_named(pipeline: Pipeline) -> None:
    pipeline.write("dvc.yaml", "stages: [\n")
    for command in (["why", "train"], ["accept", "train", "-y", "-m", "x"]):
        output = pipeline.run("envstage", *command, code=2)
        assert output.startswith("envstage: dvc.yaml:2: is not YAML: ")


def test_accept_where_nothing_was_captured_yet(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    output = pipeline.run("envstage", "accept", "train", "--yes", "-m", "harmless", code=2)
    assert "run `envstage capture` first" in output
    assert not (pipeline.root / "environment/accepted.json").exists()


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
    why = pipeline.run("envstage", "why", "train")
    assert "last: accepted without a run, in spite of:\n    packages.alpha  1.0 → 2.0" in why
    assert "accepted by Ada" in why


def test_accept_refuses_where_code_changed_as_well(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    pipeline.run("envstage", "capture")
    pipeline.write("train.py", pipeline.read("train.py") + "# changed\n")
    output = pipeline.run("envstage", "accept", "train", "--yes", "-m", "harmless", code=2)
    assert "train.py is modified" in output
    assert "train" in pipeline.ran(pipeline.repro())
