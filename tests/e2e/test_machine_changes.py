"""The interpreter, a variable, the driver or the GPU changes: dependents rerun, and come back."""

import json
from pathlib import Path

import pytest

from tests import nvml
from tests.e2e.conftest import Make
from tests.e2e.pipeline import Pipeline
from tests.wheels import Venv, interpreter

pytestmark = pytest.mark.e2e

BOTH = {"environment", "train"}
CONFIG = """\
environments:
  main: {python: auto, level: hardware}
variables: {watch: [MY_FLAG]}
views:
  train: {}
"""


def assert_restored(output: str) -> None:
    assert "Stage 'train' is cached - skipping run, checking out outputs" in output, output


def with_gpu(pipeline: Pipeline) -> Path:
    """A machine with a GPU below `pipeline.base`, described up to the hardware; committed."""
    machine = pipeline.base / "gpu"
    pipeline.environ |= nvml.nvml_environ(machine, nvml.ONE_H100)
    pipeline.write("envstage.yaml", CONFIG)
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.repro()
    pipeline.commit("up to the hardware")
    return machine


def test_interpreter(pipeline: Pipeline) -> None:
    other = interpreter("3.12")
    if other is None:
        pytest.skip("there is no Python 3.12 on this machine")
    first = pipeline.venv
    pipeline.venv = Venv(pipeline.base / "venv-3.12", python=other)
    pipeline.install("alpha", "1.0")
    pipeline.install("beta", "1.0")
    output = pipeline.repro()
    assert pipeline.ran(output) == BOTH
    assert "python.version" in output
    pipeline.venv = first
    assert_restored(pipeline.repro())
    assert pipeline.status() == ""


def test_same_interpreter_in_another_virtual_environment(pipeline: Pipeline) -> None:
    pipeline.venv = Venv(pipeline.base / "other")
    pipeline.install("alpha", "1.0")
    pipeline.install("beta", "1.0")
    before = pipeline.files()
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.files() == before


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "MY_FLAG"])
def test_variable(pipeline: Pipeline, name: str) -> None:
    pipeline.write("envstage.yaml", CONFIG.replace("hardware", "platform"))
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.environ[name] = "7"
    assert pipeline.ran(pipeline.repro()) == BOTH
    del pipeline.environ[name]
    assert_restored(pipeline.repro())
    pipeline.environ[name] = "7"
    assert_restored(pipeline.repro())


def test_variables_that_are_not_watched(pipeline: Pipeline) -> None:
    before = pipeline.files()
    output = pipeline.repro(MY_FLAG="7", EDITOR="vi", CI="true", LC_ALL="C", TZ="UTC")
    assert pipeline.ran(output) == {"environment"}
    assert pipeline.files() == before


@pytest.mark.hard_case(18)
def test_gpu_and_driver(pipeline: Pipeline) -> None:
    machine = with_gpu(pipeline)
    nvml.put_in(machine, nvml.ONE_A100)
    output = pipeline.repro()
    assert pipeline.ran(output) == BOTH
    assert "hardware.gpu" in output
    nvml.put_in(machine, nvml.ONE_H100)
    assert_restored(pipeline.repro())
    other_driver = nvml.machine(nvml.gpu(identifier=nvml.identifier(1)), driver="555.42.06")
    nvml.put_in(machine, other_driver)
    output = pipeline.repro()
    assert pipeline.ran(output) == BOTH
    assert "hardware.gpu.driver" in output
    nvml.put_in(machine, nvml.ONE_H100)
    assert_restored(pipeline.repro())
    assert pipeline.status() == ""


def test_another_gpu_of_the_same_model(pipeline: Pipeline) -> None:
    machine = with_gpu(pipeline)
    nvml.put_in(machine, nvml.machine(nvml.gpu(identifier=nvml.identifier(9))))
    before = pipeline.files()
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.files() == before


@pytest.mark.hard_case(44)
def test_gpu_does_not_count_where_the_run_did_not_use_it(make: Make) -> None:
    pipeline = make("")
    machine = with_gpu(pipeline)
    nvml.put_in(machine, nvml.ONE_A100)
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    assert "Stage 'train' didn't change" in output
    view = json.loads(pipeline.read("environment/views/train.json"))
    assert "gpu" not in view["facts"]["hardware"]


def test_results_of_an_environment_reach_a_second_clone(pipeline: Pipeline) -> None:
    pipeline.run("dvc", "remote", "add", "-q", "-d", "store", "../store")
    pipeline.commit("a remote")
    # DVC sends the runs' records, and of their results those of the workspace: push each time.
    pipeline.run("dvc", "push", "-q", "--run-cache")
    pipeline.install("alpha", "2.0")
    assert pipeline.ran(pipeline.repro()) == BOTH
    pipeline.run("dvc", "push", "-q", "--run-cache")
    pipeline.run("git", "checkout", "-q", ".")
    other = pipeline.clone("second")
    other.run("dvc", "pull", "-q", "--run-cache")
    assert other.read("model.txt") == "alpha 1.0\n"
    # This machine has alpha 2.0, as the first one had: its result is there already. The records
    # of runs were pulled; their results come with --pull.
    assert_restored(other.repro("--pull"))
    assert other.read("model.txt") == "alpha 2.0\n"
    other.install("alpha", "1.0")
    assert_restored(other.repro())
    assert other.status() == ""
