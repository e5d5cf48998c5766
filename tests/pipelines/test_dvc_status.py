"""`check --pipeline` over a real DVC repository: without data, without cache, with reasons."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

DVC_YAML = """\
stages:
  fetch:
    cmd: python fetch.py
    deps: [fetch.py]
    outs: [data.txt]
  train:
    cmd: python train.py
    deps: [data.txt, raw.txt, train.py]
    params: [lr]
    outs: [model.txt]
"""
FETCH = "open('data.txt', 'w').write('data')\n"
TRAIN = "import alpha\nopen('model.txt', 'w').write(open('data.txt').read() + alpha.version)\n"


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    made = Pipeline(tmp_path)
    files = {"fetch.py": FETCH, "train.py": TRAIN, "params.yaml": "lr: 1\n"}
    made.create(DVC_YAML, **files)
    made.install("alpha", "1.0")
    made.write("raw.txt", "raw")
    made.run("dvc", "add", "raw.txt")
    made.track("train")
    made.repro()
    made.commit("first run")
    made.repro()
    made.commit("the environment's own entry")
    return made


def check(pipeline: Pipeline, code: int = 0, mode: str = "") -> str:
    return pipeline.run("envstage", "check", "--pipeline", code=code, ENVSTAGE_MODE=mode)


def without_data(pipeline: Pipeline) -> Pipeline:
    """A fresh clone: no data, no cache, no archive."""
    clone = pipeline.clone("clone")
    assert not (clone.root / "data.txt").exists()
    return clone


def test_nothing_would_run(pipeline: Pipeline) -> None:
    before = pipeline.files()
    assert "no stage but the environment's would run" in check(pipeline)
    assert pipeline.files() == before


def test_a_clone_without_data(pipeline: Pipeline) -> None:
    clone = without_data(pipeline)
    text = check(clone)
    assert "no stage" in text and "not here" in text
    assert clone.status() == ""


def test_reasons(pipeline: Pipeline) -> None:
    clone = without_data(pipeline)
    clone.write("train.py", TRAIN + "# changed\n")
    clone.write("params.yaml", "lr: 2\n")
    text = check(clone, 1)
    assert "train would run: its dependency train.py is not what dvc.lock says" in text
    assert "train would run: the parameter lr in params.yaml is not what dvc.lock says" in text
    assert "fetch would run" not in text


def test_command(pipeline: Pipeline) -> None:
    text = pipeline.read("dvc.yaml").replace("python fetch.py", "python fetch.py --all")
    pipeline.write("dvc.yaml", text)
    assert "fetch would run: changed command" in check(pipeline, 1)


def test_a_stage_that_never_ran(pipeline: Pipeline) -> None:
    pipeline.write("sub/dvc.yaml", "stages:\n  later:\n    cmd: echo x > x\n    outs: [x]\n")
    assert "sub/dvc.yaml:later would run: has never run" in check(pipeline, 1)


def test_missing_source(pipeline: Pipeline) -> None:
    (pipeline.root / "train.py").unlink()
    assert "its dependency train.py is missing" in check(pipeline, 1)


def test_data_made_anew_upstream(pipeline: Pipeline) -> None:
    pipeline.write("fetch.py", FETCH.replace("'data'", "'other'"))
    pipeline.repro("-s", "fetch")
    pipeline.commit("fetched anew")
    clone = without_data(pipeline)
    assert "its dependency data.txt was made anew since it ran" in check(clone, 1)


def test_added_data_changed(pipeline: Pipeline) -> None:
    pipeline.write("raw.txt", "other")
    pipeline.run("dvc", "add", "raw.txt")
    pipeline.commit("other data")
    assert "its dependency raw.txt" in check(without_data(pipeline), 1)


def test_another_environment_on_this_machine(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    text = check(pipeline, 1)
    assert "train would run: this machine is not what environment/views/train.json says" in text
    assert "alpha 1.0 → 2.0 (upgrade)" in text
    # Held, nothing is captured: the committed view counts.
    assert "no stage" in check(pipeline, mode="hold")
    pipeline.install("beta", "1.0")
    pipeline.install("alpha", "1.0")
    assert "no stage" in check(pipeline)


def test_view_committed_without_a_run(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    pipeline.run("envstage", "capture")
    pipeline.commit("captured, not run")
    text = check(without_data(pipeline), 1, mode="hold")
    assert "environment/views/train.json" in text


def test_json_and_no_dvc(pipeline: Pipeline, tmp_path: Path) -> None:
    document = json.loads(pipeline.run("envstage", "check", "--pipeline", "--json"))
    assert document["would_run"] == []
    shutil.rmtree(pipeline.root / ".dvc")
    assert "no DVC repository here" in check(pipeline, 2)


def test_a_file_outside_that_is_gone(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("raw")
    text = pipeline.read("dvc.yaml").replace("raw.txt,", f"raw.txt, {tmp_path}/outside.txt,")
    pipeline.write("dvc.yaml", text)
    pipeline.repro()
    assert "no stage" in check(pipeline)
    (tmp_path / "outside.txt").unlink()
    assert "outside.txt is missing" in check(pipeline, 1)
