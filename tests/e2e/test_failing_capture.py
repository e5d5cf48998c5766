"""A capture that fails: one line, the old files whole, and no dependent passes as up to date."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests import nvml
from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

VIEW = "environment/views/train.json"
MISSING = "environments: {main: {python: .venv/bin/python}}\nviews: {train: {}}\n"


def capture(pipeline: Pipeline, code: int = 3) -> str:
    """A capture by hand; its one line on standard error."""
    output = pipeline.run("envstage", "capture", code=code)
    assert output.count("\n") == 1, output
    assert output.startswith("envstage: ")
    assert "Traceback" not in output
    return output


def break_interpreter(pipeline: Pipeline) -> Path:
    """Make the environment's interpreter hang; the file that does it."""
    pipeline.write("envstage.yaml", "timeout_s: 1\nviews: {train: {}}\n")
    hook = pipeline.venv.site / "zz_sleeper.pth"
    hook.write_text("import time; time.sleep(600)\n")
    return hook


def test_missing_interpreter(pipeline: Pipeline) -> None:
    pipeline.write("envstage.yaml", MISSING)
    before = pipeline.files()
    assert capture(pipeline) == (
        "envstage: view train: there is no interpreter `.venv/bin/python`. "
        "Create the environment, or correct `python:` of the environment.\n"
    )
    assert pipeline.files() == before


def test_hanging_interpreter(pipeline: Pipeline) -> None:
    hook = break_interpreter(pipeline)
    before = pipeline.files()
    said = capture(pipeline)
    assert "did not answer within 1 s" in said
    assert "raise `timeout_s`" in said
    assert pipeline.files() == before
    hook.unlink()
    assert pipeline.ran(pipeline.repro()) == {"environment"}


def test_fact_that_a_view_needs(pipeline: Pipeline) -> None:
    pipeline.environ |= nvml.nvml_environ(pipeline.base / "gpu", nvml.VERSIONS_DIFFER)
    before = pipeline.files()
    # At the level platform no view needs the GPU, and the capture goes on.
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    config = "environments: {main: {level: hardware}}\nviews: {train: {}}\n"
    pipeline.write("envstage.yaml", config)
    said = capture(pipeline)
    assert said.startswith("envstage: view train: a fact that it needs is unknown: hardware.gpu.")
    assert "exclude it in views.train.exclude" in said
    pipeline.run("git", "checkout", "-q", "envstage.yaml")
    assert pipeline.files() == before


def test_where_that_nobody_can_answer(pipeline: Pipeline) -> None:
    pipeline.environ |= nvml.nvml_environ(pipeline.base / "gpu", nvml.VERSIONS_DIFFER)
    where = '{level: hardware, where: {hardware.gpu.models: "*H100*"}}'
    pipeline.write("envstage.yaml", f"environments: {{main: {where}}}\nviews: {{train: {{}}}}\n")
    said = capture(pipeline)
    assert "cannot tell whether this machine belongs to it: hardware.gpu.models is unknown" in said
    assert "set ENVSTAGE_MODE=hold" in said


def test_no_dependent_passes_as_up_to_date(pipeline: Pipeline) -> None:
    committed = pipeline.read(VIEW)
    time_ns = (pipeline.root / VIEW).stat().st_mtime_ns
    pipeline.write("envstage.yaml", MISSING)
    output = pipeline.repro("--ignore-errors", code=None)
    assert "there is no interpreter" in output
    assert "'train' didn't change" not in output
    assert "train" not in pipeline.ran(output)
    assert "is cached" not in output
    # Mended, everything is as it was: nothing reruns for the mishap.
    pipeline.run("git", "checkout", "-q", "envstage.yaml")
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    # DVC removes a stage's outs before it finds that a dep is missing.
    assert "Stage 'train' is cached - skipping run" in output
    assert pipeline.read(VIEW) == committed
    assert (pipeline.root / VIEW).stat().st_mtime_ns == time_ns
    assert pipeline.status() == ""


def test_configuration_error_in_the_stage(pipeline: Pipeline) -> None:
    pipeline.write("envstage.yaml", "view: {train: {}}\n")
    output = pipeline.repro("--ignore-errors", code=None)
    assert (
        "envstage: envstage.yaml:1: view: `view` is not a setting. Did you mean `views`" in output
    )
    assert "'train' didn't change" not in output
    pipeline.run("git", "checkout", "-q", "envstage.yaml")
    pipeline.repro()
    assert pipeline.status() == ""


def test_capture_by_hand_moves_nothing(pipeline: Pipeline) -> None:
    pipeline.write("envstage.yaml", MISSING)
    capture(pipeline)
    pipeline.run("git", "checkout", "-q", "envstage.yaml")
    assert pipeline.status() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_collecting", [False, True], ids=["waiting", "collecting"])
def test_ended_from_outside(
    pipeline: Pipeline, number: signal.Signals, is_collecting: bool
) -> None:
    hook = break_interpreter(pipeline)
    if is_collecting:
        # A facet takes its time while the interpreter is asked.
        tool = pipeline.tools / "slow"
        tool.write_text("#!/bin/sh\nexec sleep 8\n")
        tool.chmod(0o755)
    pipeline.write("envstage.yaml", "timeout_s: 60\ntools: [slow]\nviews: {train: {}}\n")
    before = pipeline.files()
    process = started(pipeline, DVC_STAGE="environment")
    begun = children(process.pid)
    process.send_signal(number)
    said = process.communicate(timeout=20)[0]
    assert begun
    # Git answers at once and ends by itself; the interpreter would sleep for ten minutes.
    assert not still_there(begun)
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    if number is signal.SIGINT:
        assert said == "envstage: interrupted; nothing is half-written.\n"
    # The stage failed: what depends on it must not pass, however the capture ended.
    assert not (pipeline.root / VIEW).exists()
    assert not list((pipeline.root / "environment").rglob("*.tmp"))
    hook.unlink()
    pipeline.run("git", "checkout", "-q", "envstage.yaml")
    pipeline.run("envstage", "capture")
    before.pop("envstage.yaml")
    assert {path: data for path, data in pipeline.files().items() if path in before} == before


def started(pipeline: Pipeline, **environ: str) -> "subprocess.Popen[str]":
    """A capture that has begun to wait for the interpreter."""
    process = subprocess.Popen(
        [str(pipeline.tools / "envstage"), "capture"],
        cwd=pipeline.root,
        env=pipeline.variables(**environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not children(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    return process


def still_there(pids: list[str]) -> list[str]:
    """Those of the processes that have not ended within a few seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pids = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        if not pids:
            break
        time.sleep(0.05)
    return pids


def children(pid: int) -> list[str]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text().split() if os.path.exists(path) else []
