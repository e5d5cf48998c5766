"""The environment in Snakemake's own pictures, and on other storage."""

import base64
from pathlib import Path

import pytest
from snakemake.settings.types import StorageSettings

from tests.snakemake.workflow import GUARDED, SNAKEFILE, TRIGGERS, Workflow

pytestmark = pytest.mark.e2e
LOCAL = """\
import envstage
include: envstage.snakefile()
rule train:
    default_target: True
    input: local("train.py"), env=local("environment/views/train.json")
    output: local("model.txt")
    shell: "python train.py > {output}"
"""


def test_graphs_and_summary(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path)
    assert workflow.run().is_ok
    assert "environment/views/train.json" in workflow.cli("snakemake", "--summary")
    for option in ("--dag", "--rulegraph", "--filegraph"):
        picture = workflow.cli("snakemake", option)
        assert "digraph" in picture
        assert "environment" in picture


def test_command_line(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, GUARDED)
    first = workflow.cli("snakemake", "-c1")
    assert "The software environment, as train depends on it" in first
    assert "view train: 1 of 2 packages used" in first
    assert "Nothing to be done" in workflow.cli("snakemake", "-n")
    workflow.install("alpha", "2.0")
    planned = workflow.cli("snakemake", "-n")
    assert "Updated input files: .envstage/stamps/environment/train" in planned
    workflow.write("Snakefile", GUARDED.replace("views/train", "views/trian"))
    failed = workflow.cli("snakemake", "-n", code=1)
    assert "there is no view `trian`" in failed
    assert "Traceback" not in failed


def test_snapshot_in_a_report(tmp_path: Path) -> None:
    text = GUARDED.replace('"score.txt"\n', '"score.txt", "environment/report.html"\n', 1)
    config = "views: {train: , evaluate: {exclude: [packages.*]}}\n"
    workflow = Workflow(tmp_path, text, config)
    assert workflow.run().is_ok
    assert "<h1>Environment main</h1>" in workflow.read("environment/report.html")
    for options in TRIGGERS:
        assert workflow.is_done(**options)
    (workflow.root / "environment/views/train.json").touch()
    assert workflow.is_done(), "finalised after the page, and no business of it"
    workflow.cli("snakemake", "--report", "report.html")
    report = workflow.read("report.html")
    assert "whose fingerprint it carries" in report
    page = base64.b64encode(workflow.read("environment/report.html").encode()).decode()
    assert page[:400] in report

    workflow.install("alpha", "2.0")
    assert "environment_report" in {job.partition("(")[0] for job in workflow.plan().jobs}
    assert workflow.run().is_ok
    assert "<th>alpha</th><td>2.0</td>" in workflow.read("environment/report.html")
    assert workflow.is_done()
    workflow.install("gamma", "1.0")
    assert workflow.is_done(), "no view selects it: the snapshot waits for one that changes"
    workflow.cli("envstage", "capture")
    assert workflow.plan().jobs == {"environment_report(environment)", "all"}
    (workflow.root / "environment/report.html").write_text("by hand")
    assert workflow.run().is_ok
    assert "<th>gamma</th>" in workflow.read("environment/report.html")
    assert workflow.is_done()


def test_environment_of_its_own(tmp_path: Path) -> None:
    from tests.wheels import Venv, build_wheel

    workflow = Workflow(tmp_path, SNAKEFILE.replace("t/views/train", "t/other/views/train"))
    other = Venv(tmp_path / "other")
    workflow.write(
        "envstage.yaml",
        f"environments:\n  main: {{}}\n  other: {{python: {other.python}}}\n"
        "views: {train: {environment: other}, evaluate: {}}\n",
    )
    done = workflow.run()
    assert done.is_ok, done.text
    assert workflow.is_done()
    other.install(build_wheel(workflow.wheelhouse, "gamma", "1.0"))
    assert workflow.plan().jobs == {"environment(train)", "train", "evaluate", "all"}
    workflow.write("Snakefile", SNAKEFILE)
    found = workflow.plan()
    assert not found.is_ok
    assert "Write environment/other/views/train.json" in found.text


def test_default_storage(tmp_path: Path) -> None:
    pytest.importorskip("snakemake_storage_plugin_fs")
    workflow = Workflow(tmp_path, LOCAL)
    store = StorageSettings(default_storage_provider="fs", default_storage_prefix="store")
    done = workflow.run(storage=store)
    assert done.is_ok, done.text
    assert (workflow.root / "environment/views/train.json").exists()
    assert workflow.is_done(storage=store)
    workflow.install("beta", "2.0")
    assert workflow.plan(storage=store).jobs == {"environment(train)", "train"}
