"""Which environment made a file, why it reruns, and how a difference is taken for harmless."""

import json
from pathlib import Path

import pytest

from tests.snakemake.test_guarded import PART, SHARED, facts
from tests.snakemake.workflow import GUARDED, TRIGGERS, Workflow

pytestmark = pytest.mark.e2e


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """A guarded workflow in Git, after its first run."""
    made = Workflow(tmp_path, GUARDED)
    done = made.run()
    assert done.is_ok, done.text
    return made


def test_why(workflow: Workflow) -> None:
    output = workflow.cli("envstage", "why", "model.txt")
    assert "model.txt (rule train, view train)" in output
    assert "its environment is what it was" in output
    workflow.install("alpha", "2.0")
    assert workflow.plan().jobs
    explained = json.loads(workflow.cli("envstage", "why", "--json", "model.txt"))
    assert [each["address"] for each in explained[0]["next"]][-1] == "packages.alpha.version"
    assert workflow.run().is_ok
    assert "its environment is what it was" in workflow.cli("envstage", "why", "model.txt")
    assert "packages.alpha" not in workflow.cli("envstage", "why", "score.txt")


def test_view_of_an_old_result_is_still_known(workflow: Workflow) -> None:
    first = workflow.read("environment/views/train.json")
    workflow.install("alpha", "2.0")
    assert workflow.run("environment/views/train.json").is_ok
    assert workflow.read("environment/views/train.json") != first
    output = workflow.cli("envstage", "why", "model.txt")
    assert "packages.alpha  1.0 → 2.0 (upgrade)" in output


def test_accept(workflow: Workflow) -> None:
    workflow.install("alpha", "2.0")
    assert "train" in workflow.plan().jobs
    output = workflow.cli("envstage", "accept", "model.txt", "-y", "-m", "harmless")
    assert "packages.alpha  1.0 → 2.0 (upgrade)" in output
    for options in TRIGGERS:
        assert workflow.is_done(**options)
    assert workflow.read("model.txt") == "1.0\n"
    (workflow.root / "environment/views/train.json").touch()
    assert workflow.is_done(), "nor later"
    entry = json.loads(workflow.read("environment/accepted.json"))[0]
    assert (entry["stage"], entry["why"], entry["who"]) == ("train", "harmless", "Ada")
    workflow.install("alpha", "3.0")
    assert "train" in workflow.plan().jobs


def test_accept_refuses_where_the_code_changed(workflow: Workflow) -> None:
    before = workflow.read("environment/views/train.json")
    workflow.install("alpha", "2.0")
    workflow.write("train.py", "import alpha\nprint('other', alpha.version)\n")
    output = workflow.cli("envstage", "accept", "model.txt", "-y", "-m", "x", code=2)
    assert "more than the environment changed" in output
    assert "train.py" in output
    assert workflow.read("environment/views/train.json") == before
    assert "train" in workflow.plan().jobs
    assert not (workflow.root / "environment/accepted.json").exists()


def test_check_of_the_workflow(workflow: Workflow) -> None:
    output = workflow.cli("envstage", "check", "--pipeline")
    assert "no stage but the environment's would run" in output
    workflow.install("alpha", "2.0")
    output = workflow.cli("envstage", "check", "--pipeline", code=1)
    facts = "this machine is not what environment/views/train.json says"
    assert f"model.txt (rule train) would run: {facts}: packages.alpha 1.0 → 2.0" in output
    found = json.loads(workflow.cli("envstage", "check", "--pipeline", "--json", code=1))
    assert len(found["would_run"]) == 2
    hold = workflow.cli("envstage", "check", "--pipeline", ENVSTAGE_MODE="hold")
    assert "no stage" in hold
    workflow.install("alpha", "1.0")
    (workflow.root / "score.txt").unlink()
    output = workflow.cli("envstage", "check", "--pipeline", code=1)
    assert output == "score.txt (rule evaluate) would run: missing\n"
    workflow.write("Snakefile", "rule: 1\n")
    output = workflow.cli("envstage", "check", "--pipeline", code=3)
    assert "`snakemake --summary` failed" in output
    assert len(output.splitlines()) == 1


def test_nothing_to_accept(workflow: Workflow) -> None:
    output = workflow.cli("envstage", "accept", "model.txt", "-y", "-m", "x", code=2)
    assert "its environment is what it was" in output


def test_shared_view_narrows_without_a_rerun(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SHARED)
    workflow.install("gamma", "1.0")
    workflow.write("part.py", PART)
    assert workflow.run().is_ok
    assert facts(workflow)["packages"].keys() == {"alpha", "beta", "gamma"}
    output = workflow.cli("envstage", "track", "--update", "part")
    assert "narrowed to 2 of 3 packages" in output
    again = workflow.cli("envstage", "track", "--update", "part")
    assert "view train: nothing to narrow" in again
    for options in TRIGGERS:
        assert workflow.is_done(**options)
    (workflow.root / "environment/views/train.json").touch()
    assert workflow.is_done()
    workflow.install("gamma", "2.0")
    assert workflow.is_done()
    workflow.install("beta", "2.0")
    assert {"part(alpha)", "part(beta)"} <= workflow.plan().jobs


def test_shared_view_with_a_job_that_nobody_observed(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SHARED)
    workflow.write("part.py", PART)
    assert workflow.run().is_ok
    for path in list((workflow.root / ".envstage/observed/main/train").glob("*.json"))[:1]:
        path.unlink()
    assert "was not observed" in workflow.cli("envstage", "track", "--update", "part", code=2)


def test_two_jobs_grow_a_view_at_once(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SHARED)
    workflow.write("part.py", "print(1)\n")
    assert workflow.run().is_ok
    workflow.cli("envstage", "track", "--update", "part")
    assert facts(workflow).get("packages", {}) == {}
    workflow.write("part.py", PART)
    done = workflow.run(cores=2)
    assert done.is_ok, done.text
    assert facts(workflow)["packages"].keys() == {"alpha", "beta"}


def test_track_says_how_it_is_done_in_a_snakefile(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path)
    for words, said in (
        (["train"], "a rule depends on the environment through its own `input:`"),
        (["--update", "nosuch"], "no rule nosuch that ran depends on a view"),
    ):
        output = workflow.cli("envstage", "track", *words, code=2)
        assert said in output
        assert "`envstage init snakemake` says what to add" in output
