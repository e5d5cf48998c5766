"""What DVC shows of environments: columns, diffs and experiments."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests import nvml
from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

BOTH = {"environment", "train"}
CONFIG = """\
environments:
  main: {python: auto, level: hardware}
columns: [python.version, packages.alpha.version, hardware.gpu.models, hardware.gpu.driver]
views:
  train: {}
"""
COLUMNS = ["env.alpha", "env.fingerprint", "env.gpu_driver", "env.gpu_models", "env.python"]
VIEW = "environment/views/train.json"


@pytest.fixture
def shown(pipeline: Pipeline) -> Pipeline:
    """A machine with a GPU, a parameter of the stage's own, and columns."""
    pipeline.environ |= nvml.nvml_environ(pipeline.base / "gpu", nvml.ONE_H100)
    pipeline.write("envstage.yaml", CONFIG)
    pipeline.write("params.yaml", "lr: 0.1\n")
    text = pipeline.read("dvc.yaml").replace(
        "    outs:\n    - model", "    params: [lr]\n    outs:\n    - model"
    )
    pipeline.write("dvc.yaml", text)
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.repro()
    pipeline.commit("columns")
    return pipeline


def header(pipeline: Pipeline, *options: str) -> list[str]:
    table = pipeline.run("dvc", "exp", "show", "--csv", *options)
    return next(csv.reader(io.StringIO(table)))


def test_columns_of_exp_show(shown: Pipeline) -> None:
    named = header(shown)
    ours = [name for name in named if "env" in name]
    # DVC gives every dep of every stage a column with its md5, a stage's view among them.
    assert sorted(ours) == [*COLUMNS, VIEW]
    assert "lr" in named
    assert [name for name in header(shown, "--drop", "environment/") if "env" in name] == [
        name for name in ours if name != VIEW
    ]
    assert not [name for name in header(shown, "--drop", r"env\.|environment/") if "env" in name]
    table = shown.run("dvc", "exp", "show", "--no-pager", "--drop", "environment/", COLUMNS="300")
    assert "env.gpu_driver" in table
    assert "550.54.15" in table


def test_cells_are_text(shown: Pipeline) -> None:
    document: list[dict[str, Any]] = json.loads(shown.run("dvc", "exp", "show", "--json"))
    for revision in document:
        cells = revision["data"]["params"]["environment/summary.json"]["data"]["env"]
        assert sorted(f"env.{name}" for name in cells) == COLUMNS
        assert all(isinstance(value, str) for value in cells.values())
        assert cells["fingerprint"].startswith("e-")
        assert cells["gpu_models"] == "NVIDIA H100 80GB HBM3"
        assert cells["alpha"] == "1.0"
    rows = list(csv.DictReader(io.StringIO(shown.run("dvc", "exp", "show", "--csv"))))
    assert {row["env.gpu_driver"] for row in rows} == {"550.54.15"}


def test_diffs_between_commits(shown: Pipeline) -> None:
    shown.install("alpha", "1.10")
    nvml.put_in(shown.base / "gpu", nvml.ONE_A100)
    assert shown.ran(shown.repro()) == BOTH
    shown.commit("another environment")
    files = shown.run("dvc", "diff", "HEAD~1", "HEAD")
    changed = {
        line.strip() for line in files.partition("Modified:")[2].splitlines() if line.strip()
    }
    assert changed >= {"environment/facets/packages.json", "environment/facets/hardware.json"}
    assert "environment/facets/python.json" not in files
    assert "environment/facets/system.json" not in files
    rows = params_diff(shown, "HEAD~1", "HEAD")
    assert rows["env.alpha"] == {"old": "1.0", "new": "1.10"}
    assert rows["env.gpu_models"]["old"] == "NVIDIA H100 80GB HBM3"
    assert rows["env.gpu_models"]["new"] == nvml.A100
    assert set(rows) == {"env.alpha", "env.fingerprint", "env.gpu_models"}
    table = shown.run("dvc", "params", "diff", "HEAD~1", "HEAD")
    assert "1.10" in table


def test_diffs_in_a_clone_that_pulled_nothing(shown: Pipeline) -> None:
    shown.install("alpha", "2.0")
    shown.repro()
    shown.commit("another environment")
    other = shown.clone("other")
    assert set(params_diff(other, "HEAD~1", "HEAD")) == {"env.alpha", "env.fingerprint"}
    # Without the objects DVC can name the folder alone; a view in Git says the rest.
    assert "environment/facets" in other.run("dvc", "diff", "HEAD~1", "HEAD")
    assert '"version": "2.0"' in other.run("git", "diff", "HEAD~1", "HEAD", "--", VIEW)


def params_diff(pipeline: Pipeline, old: str, new: str) -> dict[str, dict[str, str]]:
    document = json.loads(pipeline.run("dvc", "params", "diff", "--json", old, new))
    return dict(document["environment/summary.json"])


def experiments(pipeline: Pipeline) -> dict[str, dict[str, str]]:
    """Each experiment's cells, by its name."""
    rows = csv.DictReader(io.StringIO(pipeline.run("dvc", "exp", "show", "--csv")))
    return {row["Experiment"]: row for row in rows if row["Experiment"]}


def in_workspace(pipeline: Pipeline) -> None:
    pipeline.run("dvc", "exp", "run", "-n", "mine", "-S", "lr=0.2")


def in_a_copy(pipeline: Pipeline) -> None:
    pipeline.run("dvc", "exp", "run", "--temp", "-n", "mine", "-S", "lr=0.2")


@pytest.mark.parametrize("run", [in_workspace, in_a_copy])
def test_experiment(shown: Pipeline, run: Callable[[Pipeline], None]) -> None:
    shown.install("alpha", "2.0")
    run(shown)
    found = experiments(shown)["mine"]
    assert found["env.alpha"] == "2.0"
    assert found["lr"] == "0.2"
    # Nothing changed since: the result of the experiment is the one that a repro would make.
    shown.run("dvc", "exp", "apply", "mine")
    output = shown.repro()
    assert shown.ran(output) == {"environment"}


def test_four_experiments_from_the_queue(shown: Pipeline) -> None:
    for number in range(4):
        shown.run("dvc", "exp", "run", "--queue", "-n", f"mine-{number}", "-S", f"lr={number}")
    # The environment is the one in which they run, not the one in which they were queued.
    shown.install("alpha", "2.0")
    shown.run("dvc", "exp", "run", "--run-all", "-j", "4")
    found = experiments(shown)
    assert {row["env.alpha"] for row in found.values()} == {"2.0"}
    assert {row["lr"] for row in found.values()} == {"0", "1", "2", "3"}
    assert len(found) == 4
    assert len({row["env.fingerprint"] for row in found.values()}) == 1
    assert shown.status() == ""
