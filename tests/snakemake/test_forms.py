"""How a workflow takes the provided rule in: include, module, renamed, twice, configured itself."""

from pathlib import Path

import pytest

from tests.snakemake.workflow import SNAKEFILE, TRIGGERS, Workflow

pytestmark = pytest.mark.e2e
INCLUDE = "include: envstage.snakefile()\n"
MODULE = """\
module ours:
    snakefile: envstage.snakefile()
    {more}
use rule * from ours{name}
"""


def in_form(text: str) -> str:
    return SNAKEFILE.replace(INCLUDE, text)


@pytest.mark.parametrize(
    "text",
    [
        INCLUDE * 2,
        MODULE.format(more="", name=""),
        MODULE.format(more="", name=" as software_*"),
        MODULE.format(more='prefix: "sub"', name=""),
        MODULE.format(more="", name=" as one_*") + "use rule * from ours as two_*\n",
        INCLUDE + MODULE.format(more='prefix: "sub"', name=" as other_*"),
    ],
    ids=["include", "module", "renamed", "path-prefix", "twice", "both"],
)
def test_forms(tmp_path: Path, text: str) -> None:
    workflow = Workflow(tmp_path, in_form(text))
    done = workflow.run()
    assert done.is_ok, done.text
    assert workflow.read("score.txt") == "1.0\n"
    for options in TRIGGERS:
        assert workflow.is_done(**options)
    workflow.install("alpha", "2.0")
    assert "train" in workflow.plan().jobs
    assert workflow.run().is_ok
    assert workflow.is_done()


@pytest.mark.parametrize(
    "text",
    [
        INCLUDE,
        MODULE.format(more='config: config["envstage"]', name=""),
        MODULE.format(more="config: config", name=" as x_*"),
    ],
)
def test_configured_by_the_workflow(tmp_path: Path, text: str) -> None:
    views = {"views": {"train": {}, "evaluate": {"exclude": ["packages.alpha"]}}}
    guarded = in_form(text).replace('"python train', '"envstage run --view train -- python train')
    workflow = Workflow(tmp_path, guarded, config="")
    config = {"envstage": views, "other": 1}
    assert workflow.run(config=config).is_ok
    assert workflow.is_done(config=config)
    assert '"beta"' not in workflow.read("environment/views/train.json")
    workflow.install("alpha", "2.0")
    assert "environment(evaluate)" not in workflow.plan(config=config).jobs
    workflow.write("envstage.yaml", "views: {train: }\n")
    found = workflow.plan(config=config)
    assert not found.is_ok
    assert "Keep one of them" in found.text


def test_workflow_below_the_project(tmp_path: Path) -> None:
    text = SNAKEFILE.replace('"environment/', '"../environment/')
    workflow = Workflow(tmp_path, text)
    workflow.root = tmp_path / "repo" / "sub"
    workflow.write("Snakefile", text)
    workflow.write("train.py", (tmp_path / "repo" / "train.py").read_text())
    done = workflow.run()
    assert done.is_ok, done.text
    assert (tmp_path / "repo" / "environment" / "views" / "train.json").exists()
    for options in TRIGGERS:
        assert workflow.is_done(**options)


def test_a_wildcard_that_claims_the_view(tmp_path: Path) -> None:
    clash = 'rule wide:\n    output: "{name}.json"\n    shell: "echo {{}} > {output}"\n'
    workflow = Workflow(tmp_path, SNAKEFILE + clash)
    found = workflow.plan()
    assert not found.is_ok
    assert "AmbiguousRuleException" in found.text or "ambiguous" in found.text
    assert "environment" in found.text
    workflow.write("Snakefile", SNAKEFILE + clash + "ruleorder: environment > wide\n")
    assert workflow.run().is_ok
    assert workflow.is_done()


def test_unknown_view(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SNAKEFILE.replace("views/train", "views/trian"))
    found = workflow.plan()
    assert not found.is_ok
    assert "there is no view `trian`" in found.text
    workflow.write("environment/views/trian.json", "{}")
    assert not workflow.plan().is_ok
