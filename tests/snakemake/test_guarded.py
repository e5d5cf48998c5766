"""The guard in Snakemake's shell rules: views narrow to what was used, and nothing reruns."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.snakemake.workflow import GUARDED, TRIGGERS, Workflow

pytestmark = pytest.mark.e2e

SHARED = """\
import envstage
include: envstage.snakefile()
rule all:
    default_target: True
    input: expand("out/{name}.txt", name=["alpha", "beta"])
rule part:
    input: "part.py", env="environment/views/train.json"
    output: "out/{name}.txt"
    shell: "envstage run --view train -- python part.py {wildcards.name} > {output}"
"""
PART = "import importlib, sys\nprint(importlib.import_module(sys.argv[1]).version)\n"


def facts(workflow: Workflow, view: str = "train") -> dict[str, Any]:
    return dict(json.loads(workflow.read(f"environment/views/{view}.json"))["facts"])


@pytest.fixture
def guarded(tmp_path: Path) -> Workflow:
    """After the first run; train used alpha and not beta."""
    workflow = Workflow(tmp_path, GUARDED)
    done = workflow.run()
    assert done.is_ok, done.text
    return workflow


@pytest.mark.parametrize("options", TRIGGERS)
def test_first_run_narrows_without_a_rerun(guarded: Workflow, options: dict[str, Any]) -> None:
    assert facts(guarded)["packages"].keys() == {"alpha"}
    assert guarded.is_done(**options)


def test_only_what_was_used_reruns(guarded: Workflow) -> None:
    guarded.install("beta", "2.0")
    assert guarded.plan().jobs == {"environment(evaluate)", "evaluate", "all"}
    guarded.install("beta", "1.0")
    assert guarded.is_done()
    guarded.install("alpha", "2.0")
    assert "train" in guarded.plan().jobs
    assert guarded.run().is_ok
    assert guarded.read("score.txt") == "2.0\n"
    for options in TRIGGERS:
        assert guarded.is_done(**options)


def test_clone_predicts_from_the_committed_view(guarded: Workflow) -> None:
    import shutil

    shutil.rmtree(guarded.root / ".envstage")
    guarded.install("alpha", "2.0")
    guarded.write("train.py", "import alpha\nraise SystemExit(3)\n")
    assert not guarded.run().is_ok
    assert facts(guarded)["packages"].keys() == {"alpha"}, "predicted by what the clone brought"


def test_drift_during_the_workflow_is_refused(guarded: Workflow) -> None:
    before = guarded.read("environment/views/train.json")
    wheel = guarded.wheelhouse / "alpha-2.0-py3-none-any.whl"
    guarded.install("alpha", "2.0")
    guarded.install("alpha", "1.0")
    assert wheel.exists()
    text = GUARDED.replace("envstage run", "{SWAP} && envstage run").replace(
        "rule all", f'SWAP = "cp -r {guarded.base}/other/alpha* {guarded.venv.site}"\nrule all'
    )
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(guarded.base / "other")
    guarded.write("Snakefile", text)
    done = guarded.run(forceall=False, forcerun={"train"})
    assert not done.is_ok
    assert guarded.read("environment/views/train.json") == before


def test_wildcards_share_a_view(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SHARED)
    workflow.write("part.py", PART)
    done = workflow.run(cores=2)
    assert done.is_ok, done.text
    assert facts(workflow)["packages"].keys() == {"alpha", "beta"}
    assert json.loads(workflow.read("environment/views/train.json"))["selection"] == "wide"
    kept = list((workflow.root / ".envstage/observed/main/train").glob("*.json"))
    assert len(kept) == 2
    assert workflow.is_done()


def test_input_function_may_ask_for_any_view(tmp_path: Path) -> None:
    text = GUARDED.replace(
        '"model.txt", env="environment/views/evaluate.json"',
        'lambda wildcards: ["model.txt", "environment/views/train.json"]',
    )
    workflow = Workflow(tmp_path, text)
    assert workflow.run().is_ok
    assert facts(workflow)["packages"].keys() == {"alpha", "beta"}, "shared by two rules"
    assert workflow.is_done()
