"""Laptops, CI and GPU machines around one repository: capture, hold, verify."""

import json
from pathlib import Path

import pytest

from tests import nvml
from tests.e2e.conftest import Make, Once, tracked
from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

BOTH = {"environment", "train"}
CONFIG = """\
environments:
  main: {python: auto, level: hardware, where: {hardware.gpu.models: "*H100*"}}
views:
  train: {}
"""
REFUSED = "envstage: view train: this machine is none of the machines of the environment main. Run"
HELD = "held: this machine is none of its machines (hardware.gpu.models: *H100*)"


@pytest.fixture(params=["--no-guard", ""], ids=["wide", "observed"])
def gpu_machine(request: pytest.FixtureRequest, once: Once) -> Pipeline:
    """The clone on the machine with the GPU: trained there, pushed, committed."""
    options: str = request.param
    return once(f"on the GPU {options}", lambda base: _trained(tracked(base, options)))


def _trained(made: Pipeline) -> Pipeline:
    made.environ |= nvml.nvml_environ(made.base / "gpu", nvml.ONE_H100)
    made.write("envstage.yaml", CONFIG)
    made.run("dvc", "remote", "add", "-q", "-d", "store", "../store")
    # Another text of the stage's code: the result is not in the cache from before.
    made.write("train.py", made.read("train.py") + "# on the GPU\n")
    assert made.ran(made.repro()) == BOTH
    made.repro()
    made.commit("trained on the GPU machine")
    made.run("dvc", "push", "-q")
    return made


def laptop_of(gpu_machine: Pipeline) -> Pipeline:
    """A fresh clone where there is no GPU, and neither package."""
    laptop = gpu_machine.clone("laptop")
    laptop.environ.clear()
    laptop.venv.uninstall("alpha", "beta")
    return laptop


def test_laptop_holds_and_reruns_nothing(gpu_machine: Pipeline) -> None:
    laptop = laptop_of(gpu_machine)
    output = laptop.repro("--pull")
    assert laptop.ran(output) == {"environment"}
    assert HELD in output
    assert laptop.read("model.txt") == "alpha 1.0\n"
    facets = laptop.root / "environment/facets"
    assert json.loads((facets / "packages.json").read_text())["alpha"]["version"] == "1.0"
    assert laptop.status() == ""
    output = laptop.repro()
    assert laptop.ran(output) == {"environment"}
    assert "Stage 'train' didn't change, skipping" in output
    assert laptop.status() == ""


def test_laptop_that_pulled_nothing(gpu_machine: Pipeline) -> None:
    # The facets come from the committed snapshot, not from the remote.
    laptop = laptop_of(gpu_machine)
    laptop.run("dvc", "pull", "-q", "train")
    output = laptop.repro()
    assert laptop.ran(output) == {"environment"}
    assert laptop.status() == ""
    ours = {path.name: path.read_bytes() for path in facets_of(gpu_machine)}
    assert {path.name: path.read_bytes() for path in facets_of(laptop)} == ours


@pytest.mark.parametrize("gpu_machine", [""], ids=["observed"], indirect=True)
def test_laptop_that_has_no_result_does_not_train_one(gpu_machine: Pipeline) -> None:
    laptop = laptop_of(gpu_machine)
    laptop.install("alpha", "2.0")
    output = laptop.repro(code=255)
    assert REFUSED in output
    assert not (laptop.root / "model.txt").exists()
    assert laptop.status() == ""


def facets_of(pipeline: Pipeline) -> list[Path]:
    return sorted((pipeline.root / "environment/facets").iterdir())


def test_gpu_machine_carries_on_after_a_laptops_commit(gpu_machine: Pipeline) -> None:
    laptop = laptop_of(gpu_machine)
    laptop.repro("--pull")
    laptop.write("notes.txt", "read on the train\n")
    laptop.commit("notes")
    gpu_machine.run("git", "pull", "-q", str(laptop.root), "main")
    gpu_machine.install("alpha", "1.0")
    gpu_machine.install("beta", "1.0")
    assert gpu_machine.ran(gpu_machine.repro()) == {"environment"}
    assert gpu_machine.status() == ""


def test_guard_refuses_to_train_on_the_laptop(make: Make) -> None:
    pipeline = make("")
    pipeline.environ |= nvml.nvml_environ(pipeline.base / "gpu", nvml.ONE_H100)
    pipeline.write("envstage.yaml", CONFIG.replace("{}", "{include: [hardware.gpu.models]}"))
    pipeline.repro()
    pipeline.commit("a GPU that counts")
    nvml.put_in(pipeline.base / "gpu", nvml.ONE_A100)
    pipeline.write("train.py", pipeline.read("train.py") + "# edited on the laptop\n")
    output = pipeline.repro(code=255)
    assert HELD in output
    assert REFUSED in output


def test_mode_hold_keeps_every_byte(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    before = pipeline.files()
    output = pipeline.repro(ENVSTAGE_MODE="hold")
    assert pipeline.ran(output) == {"environment"}
    assert "held: ENVSTAGE_MODE=hold" in output
    assert pipeline.files() == before


def test_mode_hold_derives_the_facets_again(pipeline: Pipeline) -> None:
    expected = {path.name: path.read_bytes() for path in facets_of(pipeline)}
    other = pipeline.clone("other")
    other.run("envstage", "capture", ENVSTAGE_MODE="hold")
    # A facet of another commit or release does not stay behind.
    other.write("environment/facets/old.json", "{}\n")
    other.run("envstage", "capture", ENVSTAGE_MODE="hold")
    assert {path.name: path.read_bytes() for path in facets_of(other)} == expected
    assert other.status() == ""


def test_mode_verify(pipeline: Pipeline) -> None:
    before = pipeline.files()
    assert pipeline.ran(pipeline.repro(ENVSTAGE_MODE="verify")) == {"environment"}
    assert pipeline.files() == before
    pipeline.install("beta", "2.0")
    output = pipeline.run("envstage", "capture", code=1, ENVSTAGE_MODE="verify")
    assert output == (
        "envstage: environment/views/train.json: this machine differs from the committed view: "
        "packages.beta 1.0 → 2.0 (upgrade). `envstage check` shows everything that differs.\n"
    )
    assert pipeline.files() == before
    pipeline.install("beta", "1.0")
    output = pipeline.run("envstage", "capture", ENVSTAGE_MODE="verify")
    assert "verified: this machine" in output


def test_mode_that_is_none(pipeline: Pipeline) -> None:
    output = pipeline.run("envstage", "capture", code=2, ENVSTAGE_MODE="held")
    assert output.startswith("envstage: ENVSTAGE_MODE: `held` is no mode. Use one of capture, hold")


def test_nothing_to_hold(pipeline: Pipeline) -> None:
    pipeline.run("git", "rm", "-rq", "environment")
    output = pipeline.run("envstage", "capture", code=3, ENVSTAGE_MODE="hold")
    assert output == (
        "envstage: environment main: held: ENVSTAGE_MODE=hold, and there is no snapshot to hold. "
        "Capture it on one of its machines and commit `environment/`.\n"
    )
