"""Where Snakemake runs and keeps its records: another folder, another Snakefile, a database."""

from pathlib import Path

import pytest

from tests.snakemake.test_guarded import PART, SHARED, facts
from tests.snakemake.workflow import GUARDED, Workflow

pytestmark = pytest.mark.e2e

DATABASE = ("--persistence-backend", "db")


def snakemake(workflow: Workflow, *words: str) -> str:
    return workflow.cli("snakemake", "-c2", *words)


def test_records_in_a_database(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SHARED)
    workflow.write("part.py", PART)
    snakemake(workflow, *DATABASE)
    assert not list((workflow.root / ".snakemake").glob("metadata/*"))
    assert "v-" in workflow.cli("envstage", "why", "out/alpha.txt")
    workflow.install("gamma", "1.0")
    snakemake(workflow, *DATABASE)
    assert "narrowed to 2 of 3" in workflow.cli("envstage", "track", "--update", "part")
    (workflow.root / "environment/views/train.json").touch()
    assert "Nothing to be done" in snakemake(workflow, "-n", *DATABASE)

    workflow.install("alpha", "2.0")
    output = snakemake(workflow, "-n", *DATABASE)
    assert "rule part" in output
    explained = workflow.cli("envstage", "why", "out/beta.txt")
    assert "packages.alpha  1.0 → 2.0 (upgrade)" in explained
    output = workflow.cli("envstage", "accept", "out/alpha.txt", "-y", "-m", "harmless")
    assert "accepted for out/alpha.txt, out/beta.txt" in output
    assert "Nothing to be done" in snakemake(workflow, "-n", *DATABASE)
    (workflow.root / "environment/views/train.json").touch()
    assert "Nothing to be done" in snakemake(workflow, "-n", *DATABASE)

    place = workflow.read(".envstage/snakemake.json")
    workflow.write(
        ".envstage/snakemake.json", place.replace("sqlite:///", "postgresql://ada@host/")
    )
    output = workflow.cli("envstage", "why", "out/beta.txt", code=2)
    assert "only files and SQLite are read" in output
    assert len(output.splitlines()) == 1


def test_below_the_project(tmp_path: Path) -> None:
    """`--directory`, `workdir:`: outputs are named as their rules have them."""
    text = GUARDED.replace('"environment/', '"../environment/')
    text = text.replace('"train.py"', '"../train.py"')
    text = text.replace("python train.py", "python ../train.py")
    workflow = Workflow(tmp_path, text)
    workflow.write("flow/Snakefile", workflow.read("Snakefile"))
    (workflow.root / "Snakefile").unlink()
    options = ("-s", "flow/Snakefile", "--directory", "work")
    snakemake(workflow, *options)
    assert facts(workflow)["packages"].keys() == {"alpha"}
    assert "(rule train, view train)" in workflow.cli("envstage", "why", "model.txt")
    workflow.install("alpha", "2.0")
    assert "rule train" in snakemake(workflow, "-n", *options)
    assert "packages.alpha  1.0 → 2.0" in workflow.cli("envstage", "why", "model.txt")
    workflow.cli("envstage", "accept", "model.txt", "-y", "-m", "harmless")
    assert "Nothing to be done" in snakemake(workflow, "-n", *options)
