"""References in dvc.yaml mean what they mean to DVC."""

import datetime
import os
from pathlib import Path

import pytest
import yaml

from envstage.config import Config
from envstage.pipelines.dvc_running import running_stage
from envstage.project import Project
from envstage.receipts.stage import parameters
from envstage.world import Machine
from tests.e2e.pipeline import Pipeline

DVC_YAML = """\
vars:
- other.yaml:names,deep
- {greeting: hello}
stages:
  plain:
    cmd: "true"
    wdir: ${deep.folder}
    deps: [../a.txt]
    params: [x.y, ../other.yaml: [names]]
    outs: ["${greeting}.txt", "n-${layers[1].size}"]
  each:
    foreach: [a, b]
    do:
      cmd: "true"
      vars: [{local: there}]
      outs: ["${local}-${item}"]
      metrics: [{"m-${item}.json": {cache: false}}]
  mapped:
    foreach: ${models}
    do: {cmd: "true", outs: ["${key}-${item.depth}-${item.flag}"]}
  grid:
    matrix: {model: [cnn, {kind: mlp}], lr: "${rates}"}
    cmd: "true"
    outs: ["${key}/${item.lr}"]
"""
PARAMS = """\
layers: [{size: 1}, {size: 2}]
models: {small: {depth: 1, flag: true}, big: {depth: 2, flag: false}}
rates: [0.1, 0.01]
x: {y: 1e-3}
"""
OTHER = "names: [n]\ndeep: {folder: sub}\nhidden: 1\n"


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    files = {
        "params.yaml": PARAMS,
        "other.yaml": OTHER,
        "a.txt": "a",
        "sub/params.yaml": "x: {y: 1e-3}\n",
    }
    made = Pipeline(tmp_path)
    made.root.mkdir()
    for name, text in {"dvc.yaml": DVC_YAML, **files}.items():
        made.write(name, text)
    made.run("git", "init", "-q")
    return made


@pytest.mark.e2e
def test_every_stage_has_the_outs_that_dvc_gives_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc.repo import Repo

    pipeline.run("dvc", "init", "-q")
    stages = [stage for stage in Repo(str(pipeline.root)).index.stages]
    assert len(stages) == 9
    for stage in stages:
        monkeypatch.chdir(stage.wdir)
        world = Machine({**os.environ, "DVC_STAGE": stage.addressing})
        found = running_stage(world, Project(root=str(pipeline.root), config=Config()))
        assert found is not None and found.unseen == ()
        assert set(found.outs) == {os.path.relpath(str(o), pipeline.root) for o in
                                   (out.fs_path for out in stage.outs)}  # fmt: skip


def test_parameters_have_one_digest_for_a_file(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digests() -> dict[str, str]:
        monkeypatch.chdir(pipeline.root / "sub")
        world = Machine({**os.environ, "DVC_STAGE": "plain"})
        found = running_stage(world, Project(root=str(pipeline.root), config=Config()))
        assert found is not None
        return {each.file: each.digest for each in parameters(found.params)}

    before = digests()
    pipeline.write("params.yaml", PARAMS + "unused: 1\n")
    pipeline.write("other.yaml", OTHER.replace("hidden: 1", "hidden: 2"))
    assert digests() == before
    # `x.y` of a stage with a working directory is looked up there, as DVC does.
    assert before.keys() == {"other.yaml", "sub/params.yaml"}
    pipeline.write("other.yaml", OTHER.replace("[n]", "[m]"))
    assert digests()["other.yaml"] != before["other.yaml"]


def test_any_yaml_has_a_digest() -> None:
    odd = {"a": {1: "x", "b": [None, 2.5, float("nan")]}, "day": datetime.date.max}
    assert len(parameters({"p": odd})) == 1


def test_what_is_not_known_is_said(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    document = yaml.safe_load(DVC_YAML)
    document["stages"]["odd"] = {
        "cmd": "true", "deps": ["s3://bucket/x"], "outs": ["${nowhere}"], "params": ["gone.yaml:"],
    }  # fmt: skip
    pipeline.write("dvc.yaml", yaml.safe_dump(document))
    monkeypatch.chdir(pipeline.root)
    project = Project(root=str(pipeline.root), config=Config())
    found = running_stage(Machine({**os.environ, "DVC_STAGE": "odd"}), project)
    assert found is not None
    assert "outs: what `${nowhere}` stands for" in found.unseen
    assert "deps: `s3://bucket/x` lies outside the project" in found.unseen
    gone = running_stage(Machine({**os.environ, "DVC_STAGE": "gone"}), project)
    assert gone is not None and gone.unseen == ("the stage gone was not found in dvc.yaml",)
    assert running_stage(Machine({}), project) is None
