"""A pipeline whose runs leave receipts, and how to read them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tests.e2e.pipeline import Pipeline

RECEIPT = "environment/receipts/train.json"
SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "schemas"
TRAIN = """\
import pathlib
import alpha
pathlib.Path("model.txt").write_text(f"alpha {alpha.version}\\n")
pathlib.Path("plots").mkdir(exist_ok=True)
pathlib.Path("plots/a.txt").write_text("a")
"""
DVC_YAML = """\
stages:
  train:
    cmd: python train.py
    deps:
    - train.py
    params:
    - lr
    outs:
    - model.txt
    - plots
"""


def made_pipeline(base: Path) -> Pipeline:
    files = {"train.py": TRAIN, "params.yaml": "lr: 0.1\n"}
    made = Pipeline(base).create(DVC_YAML, **files)
    made.install("alpha", "1.0")
    made.install("beta", "1.0")
    made.track("train", options="--receipt")
    assert made.ran(made.repro()) == {"environment", "train"}
    made.commit("first run")
    return made


def read(pipeline: Pipeline, path: str = RECEIPT) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(pipeline.read(path))
    jsonschema.validate(document, json.loads((SCHEMAS / "receipt.json").read_text()))
    return document


def locked(pipeline: Pipeline) -> dict[str, str]:
    entry = yaml.safe_load(pipeline.read("dvc.lock"))["stages"]["train"]
    return {each["path"]: each["md5"] for each in (*entry["deps"], *entry["outs"])}


def check(pipeline: Pipeline, *words: str, code: int = 0, receipt: str = RECEIPT) -> str:
    return pipeline.run("envstage", "check", "--receipt", receipt, *words, code=code)
