"""Receipts of jobs: as a log, which Snakemake keeps where the job fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.snakemake.workflow import Workflow

pytestmark = pytest.mark.e2e

SNAKEFILE = """\
import envstage
include: envstage.snakefile()

rule train:
    input: "train.py", env="environment/views/train.json"
    output: "model.txt"
    log: "receipts/train.json"
    shell:
        "envstage run --view train --receipt {log} --deps {input} --outs {output}"
        " -- python train.py > {output}"
"""


def receipt(workflow: Workflow) -> dict[str, Any]:
    return dict(json.loads(workflow.read("receipts/train.json")))


def test_a_jobs_receipt(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SNAKEFILE, config="views: {train: {}}\n")
    done = workflow.run("model.txt")
    assert done.is_ok, done.text
    made = receipt(workflow)
    assert (made["run"]["engine"], made["run"]["outcome"]) == ("Snakemake", "ended")
    assert [each["path"] for each in made["outs"]] == ["model.txt"]
    assert [each["path"] for each in made["deps"]] == ["environment/views/train.json", "train.py"]
    assert made["view"]["fate"] == "narrowed"
    assert made["unseen"] == []
    assert workflow.is_done()

    workflow.write("train.py", "import alpha\nraise SystemExit(3)\n")
    assert not workflow.run("model.txt").is_ok
    assert receipt(workflow)["run"]["exit_code"] == 3
