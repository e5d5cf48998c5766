"""`script:` and `notebook:` rules under the guard, which the provided rule puts there."""

import json
import subprocess
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.snakemake.test_guarded import facts
from tests.snakemake.workflow import CONFIG, TRIGGERS, Workflow

pytestmark = pytest.mark.e2e

HEAD = "import envstage\ninclude: envstage.snakefile()\n"
SINGLE = (
    HEAD
    + """\
rule all:
    default_target: True
    input: "model.txt"
rule train:
    input: "helper.py", env="environment/views/train.json"
    output: "model.txt", "log.txt"
    script: "train.py"
"""
)
SHARED = (
    HEAD
    + """\
rule all:
    default_target: True
    input: expand("out/{name}.txt", name=["alpha", "beta"])
rule part:
    input: env="environment/views/train.json"
    output: "out/{name}.txt"
    script: "part.py"
"""
)
KERNEL = {"name": "python3", "display_name": "Python 3"}
NOTEBOOK = SINGLE.replace('script: "train.py"', 'notebook: "train.py.ipynb"')
TRAIN = "import helper\nfor name in snakemake.output:\n    open(name, 'w').write(helper.text)\n"
PART = (
    "import importlib\nmodule = importlib.import_module(snakemake.wildcards.name)\n"
    "open(snakemake.output[0], 'w').write(module.version)\n"
)


class Scripted(Workflow):
    """Snakemake runs under the workflow's own environment, as its scripts then do."""

    def __init__(self, base: Path, snakefile: str, config: str = CONFIG) -> None:
        super().__init__(base, snakefile, config)
        site = sysconfig.get_path("purelib")
        (self.venv.site / "snakemake-of-the-tests.pth").write_text(
            f"import site; site.addsitedir({site!r})\n"
        )
        self.install("gamma", "1.0")

    def snakemake(self, *words: str, is_ok: bool = True, **environ: str) -> str:
        """`snakemake -c2 …` by the command line."""
        program = [str(self.venv.python), "-m", "snakemake", "-c2", *words]
        done = subprocess.run(
            program,
            cwd=self.root,
            env=self.environ() | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) == is_ok, done.stdout
        return done.stdout


def packages(workflow: Workflow, view: str = "train") -> set[str]:
    """Those of the test's own, of a view."""
    return {"alpha", "beta", "gamma"}.intersection(facts(workflow, view)["packages"])


def test_script(tmp_path: Path) -> None:
    workflow = Scripted(tmp_path, SINGLE)
    workflow.write("helper.py", "import alpha\ntext = alpha.version\n")
    workflow.write("train.py", TRAIN)
    output = workflow.snakemake()
    assert "envstage: view train:" in output
    assert workflow.read("model.txt") == "1.0"
    assert packages(workflow) == {"alpha"}
    for options in TRIGGERS:
        assert workflow.is_done(**options)
    why = workflow.cli("envstage", "show", "--view", "train", "--why")
    assert "imported by helper.py" in why
    assert "packages.snakemake" in why, "which every script imports"
    assert ".snakemake/scripts" not in why

    workflow.install("beta", "2.0")
    assert workflow.is_done()
    workflow.install("alpha", "2.0")
    assert workflow.plan().jobs == {"environment(train)", "train", "all"}
    workflow.snakemake()
    assert workflow.read("model.txt") == "2.0"
    (workflow.root / "environment/views/train.json").touch()
    assert workflow.is_done()

    workflow.install("alpha", "3.0")
    output = workflow.snakemake("-f", "train", is_ok=False, ENVSTAGE_MODE="hold")
    assert "this machine is not what the view says" in output


def test_wildcards_share_a_view(tmp_path: Path) -> None:
    workflow = Scripted(tmp_path, SHARED)
    workflow.write("part.py", PART)
    assert "is shared: observed" in workflow.snakemake()
    assert packages(workflow) == {"alpha", "beta", "gamma"}
    before = workflow.read("environment/views/train.json")
    output = workflow.cli("envstage", "track", "--update", "part", "--dry-run")
    assert "would be narrowed" in output
    assert workflow.read("environment/views/train.json") == before
    workflow.cli("envstage", "track", "--update", "part")
    assert packages(workflow) == {"alpha", "beta"}
    for options in TRIGGERS:
        assert workflow.is_done(**options)
    workflow.install("gamma", "2.0")
    assert workflow.is_done()
    workflow.install("beta", "2.0")
    assert {"part(alpha)", "part(beta)"} <= workflow.plan().jobs

    # What an earlier job of the same outputs used says nothing of one that nobody observed.
    in_a_run = SHARED.replace('script: "part.py"', "run: open(output[0], 'w').write('x')")
    workflow.write("Snakefile", in_a_run)
    workflow.snakemake()
    output = workflow.cli("envstage", "track", "--update", "part", code=2)
    assert "was not observed" in output


def test_another_interpreter_leaves_the_view_wide(tmp_path: Path) -> None:
    """Snakemake of the tests runs scripts under itself, and the view is of the venv."""
    workflow = Workflow(tmp_path, SINGLE)
    workflow.write("helper.py", "text = 'x'\n")
    workflow.write("train.py", TRAIN)
    assert workflow.run().is_ok
    assert packages(workflow) == {"alpha", "beta"}
    assert workflow.is_done()


@pytest.mark.long
def test_run_rules_and_two_views_stay_wide(tmp_path: Path) -> None:
    text = SINGLE.replace('"helper.py", env', '"helper.py", "environment/views/evaluate.json", env')
    more = "rule other:\n    input: 'environment/views/evaluate.json'\n    output: 'other.txt'\n"
    text += more + "    run: open(output[0], 'w').write('x')\n"
    workflow = Scripted(tmp_path, text)
    workflow.write("helper.py", "import alpha\ntext = alpha.version\n")
    workflow.write("train.py", TRAIN)
    workflow.snakemake("all", "other.txt")
    for view in ("train", "evaluate"):
        assert json.loads(workflow.read(f"environment/views/{view}.json"))["selection"] == "wide"


def test_on_a_node(tmp_path: Path) -> None:
    """The guard stands in the process that runs the job, which reads the Snakefile itself."""
    workflow = Scripted(tmp_path, SINGLE)
    workflow.write("helper.py", "import alpha\ntext = alpha.version\n")
    workflow.write("train.py", TRAIN)
    submit = workflow.base / "submit.sh"
    submit.write_text('#!/bin/sh\nsh "$1" >> job.log 2>&1 && echo 1\n')
    submit.chmod(0o755)
    workflow.snakemake(
        *("--executor", "cluster-generic", "-j1", "--latency-wait", "5"),
        *("--seconds-between-status-checks", "1"),
        *("--cluster-generic-submit-cmd", str(submit)),
    )
    assert "envstage: view train:" in workflow.read("job.log")
    assert packages(workflow) == {"alpha"}
    for options in TRIGGERS:
        assert workflow.is_done(**options)


@pytest.mark.skipif(
    not (find_spec("nbconvert") and find_spec("ipykernel")), reason="needs nbconvert, ipykernel"
)
def test_notebook(tmp_path: Path) -> None:
    workflow = Scripted(tmp_path, NOTEBOOK)
    workflow.write("helper.py", "import alpha\ntext = alpha.version\n")
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
    }
    notebook = {
        "cells": [{**cell, "id": "1", "source": TRAIN}],
        "metadata": {"language_info": {"name": "python"}, "kernelspec": KERNEL},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    workflow.write("train.py.ipynb", json.dumps(notebook))
    for name in ("jupyter-nbconvert", "papermill"):
        module = name.replace("jupyter-", "")
        if find_spec(module):
            script = workflow.venv.bin / name
            script.write_text(f'#!/bin/sh\nexec "{workflow.venv.python}" -m {module} "$@"\n')
            script.chmod(0o755)
    output = workflow.snakemake(JUPYTER_PLATFORM_DIRS="1")
    assert workflow.read("model.txt") == "1.0", output
    assert workflow.is_done(), output
    assert packages(workflow) == {"alpha"}, output
