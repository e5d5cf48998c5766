"""The provided rule: what reruns when the environment changes, and what does not."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.snakemake.workflow import TRIGGERS, Workflow

pytestmark = pytest.mark.e2e
CHANGED = {"environment(train)", "train", "evaluate", "all"}


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """A workflow after its first run: alpha is in the view of train alone, beta in both."""
    made = Workflow(tmp_path)
    done = made.run()
    assert done.is_ok, done.text
    return made


def test_first_run(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path)
    assert workflow.plan().jobs == {*CHANGED, "environment(evaluate)"}
    assert not (workflow.root / "environment").exists()
    assert workflow.run().is_ok
    assert workflow.read("score.txt") == "1.0\n"
    assert workflow.read("environment/.gitignore") == "/facets\n/context.json\n"


@pytest.mark.parametrize("options", TRIGGERS)
def test_nothing_changed(workflow: Workflow, options: dict[str, Any]) -> None:
    assert workflow.is_done(**options)
    workflow.install("alpha", "2.0")
    assert workflow.plan(**options).jobs >= CHANGED
    workflow.install("alpha", "1.0")
    assert workflow.is_done(**options)


def test_change_reruns_what_depends_on_it(workflow: Workflow) -> None:
    workflow.install("alpha", "2.0")
    planned = workflow.plan()
    assert planned.jobs == CHANGED
    assert ".envstage/stamps/environment/train" in planned.reasons["environment(train)"]
    assert "environment/views/train.json" in planned.reasons["train"]
    assert workflow.run().is_ok
    assert workflow.read("score.txt") == "2.0\n"
    assert workflow.is_done()
    workflow.install("alpha", "1.0")
    assert workflow.plan().jobs == CHANGED


def test_view_of_another_rule(workflow: Workflow) -> None:
    workflow.write("envstage.yaml", "views:\n  train:\n  evaluate: {exclude: ['packages.*']}\n")
    assert workflow.plan().jobs == {"environment(evaluate)", "evaluate", "all"}
    assert workflow.run().is_ok
    workflow.install("beta", "2.0")
    assert workflow.plan("environment/views/evaluate.json").jobs == set()
    assert "environment(evaluate)" not in workflow.plan().jobs


def test_fresh_clone_without_records(workflow: Workflow) -> None:
    for folder in (".snakemake", ".envstage"):
        shutil.rmtree(workflow.root / folder)
    assert workflow.is_done()
    assert workflow.is_done(max_checksum_file_size=0)
    workflow.install("alpha", "2.0")
    assert workflow.plan().jobs == CHANGED


def test_stamps_are_lost(workflow: Workflow) -> None:
    shutil.rmtree(workflow.root / ".envstage")
    for options in TRIGGERS:
        assert workflow.is_done(**options)


def test_touched(workflow: Workflow) -> None:
    for name in ("environment/views/train.json", ".envstage/stamps/environment/train"):
        os.utime(workflow.root / name)
        assert workflow.is_done()


def test_edited_view_is_written_again(workflow: Workflow) -> None:
    before = workflow.read("environment/views/train.json")
    for _ in range(2):
        workflow.write("environment/views/train.json", before.replace('"1.0"', '"0.9"'))
        assert workflow.plan().jobs == CHANGED
        assert workflow.run().is_ok
        assert workflow.read("environment/views/train.json") == before
        assert workflow.is_done()


def test_forced_view(workflow: Workflow) -> None:
    before = workflow.read("environment/views/train.json")
    done = workflow.run(forcetargets=True, cores=1)
    assert done.is_ok, done.text
    assert workflow.read("environment/views/train.json") == before
    assert workflow.is_done()


def test_many_jobs_share_a_view(tmp_path: Path) -> None:
    workflow = Workflow(
        tmp_path,
        """\
import envstage
include: envstage.snakefile()
NUMBERS = range(40)
rule all:
    default_target: True
    input: expand("out/{n}.txt", n=NUMBERS)
rule part:
    input: env="environment/views/train.json"
    output: "out/{n}.txt"
    shell: "echo {wildcards.n} > {output}"
""",
    )
    assert workflow.run(cores=40).is_ok
    for options in TRIGGERS:
        assert workflow.is_done(**options)
    workflow.install("beta", "2.0")
    assert len(workflow.plan().jobs) == 42


def test_hold_and_verify(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow.install("alpha", "2.0")
    monkeypatch.setenv("ENVSTAGE_MODE", "hold")
    assert workflow.is_done()
    monkeypatch.setenv("ENVSTAGE_MODE", "verify")
    found = workflow.plan()
    assert not found.is_ok
    assert "packages.alpha 1.0 → 2.0" in found.text
    workflow.install("alpha", "1.0")
    assert workflow.is_done()


def test_threads_of_the_job_are_not_the_machines(tmp_path: Path) -> None:
    workflow = Workflow(
        tmp_path, config="environments: {main: {level: hardware}}\nviews: {train: , evaluate: }\n"
    )
    done = workflow.run()
    assert done.is_ok, done.text
    assert workflow.is_done()


def test_pandas_is_left_alone_where_the_workflow_does(tmp_path: Path) -> None:
    """Snakemake would load it, 1 s, to look whether a param is a DataFrame."""
    workflow = Workflow(tmp_path)
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake/pandas.py").write_text("print('pandas was imported')\n")
    path = str(tmp_path / "fake")
    workflow.cli("snakemake", "-c1", PYTHONPATH=path)
    done = workflow.cli("snakemake", "-n", PYTHONPATH=path)
    assert "Nothing to be done" in done
    assert "pandas was imported" not in done
