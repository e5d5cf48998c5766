"""What goes wrong: interrupts, failing captures, two runs at once, other nodes, missing rights."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.snakemake.workflow import CONFIG, GUARDED, Workflow

pytestmark = pytest.mark.e2e
IN_JOB = 'shell.prefix("set -euo pipefail; export IN_JOB=1; ")\n'


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """A guarded workflow after its first run."""
    made = Workflow(tmp_path, GUARDED)
    done = made.run()
    assert done.is_ok, done.text
    return made


def started(workflow: Workflow, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", *words],
        cwd=workflow.root,
        env=workflow.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def until(condition: object, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_capture(workflow: Workflow, number: signal.Signals) -> None:
    view = workflow.root / "environment/views/train.json"
    before = view.read_bytes()
    seen = workflow.base / "seen"
    hook = workflow.venv.site / "zz_slow.pth"
    workflow.install("alpha", "2.0")
    # The decision is quick, and the job's own look at the machine hangs.
    workflow.write("Snakefile", IN_JOB + GUARDED)
    hook.write_text(
        f"import os, time; 'IN_JOB' in os.environ and (open({str(seen)!r}, 'w'), time.sleep(20))\n"
    )
    process = started(workflow, "-c1", "-q", "all")
    until(seen.exists)
    os.killpg(process.pid, number)
    process.wait(timeout=60)
    hook.unlink()
    workflow.write("Snakefile", GUARDED)
    workflow.install("alpha", "1.0")
    assert workflow.cli("snakemake", "--unlock", "-q", "all") is not None
    planned = workflow.plan()
    assert planned.is_ok, planned.text
    assert not planned.jobs
    assert view.read_bytes() == before


def test_failing_capture(workflow: Workflow) -> None:
    before = workflow.read("environment/views/train.json")
    hook = workflow.venv.site / "zz_broken.pth"
    hook.write_text("import os; os._exit(7)\n")
    found = workflow.plan()
    assert not found.is_ok
    assert "ended with 7" in found.text
    assert "Traceback" not in found.text
    hook.unlink()
    assert workflow.is_done()
    workflow.install("alpha", "2.0")
    # Only the job fails: Snakemake deletes what was there, and nothing is lost.
    hook.write_text("import os; 'IN_JOB' in os.environ and os._exit(7)\n")
    workflow.write("Snakefile", IN_JOB + GUARDED)
    done = workflow.run(retries=1)
    assert not done.is_ok
    hook.unlink()
    workflow.write("Snakefile", GUARDED)
    workflow.install("alpha", "1.0")
    assert workflow.is_done()
    assert workflow.read("environment/views/train.json") == before


def test_module_of_the_workflow_with_a_name_that_envstage_imports(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path)
    for name in ("packaging.py", "yaml.py", "json.py"):
        workflow.write(name, "raise SystemExit('not this one')\n")
    done = workflow.run()
    assert done.is_ok, done.text
    assert workflow.is_done()


def test_dry_run_beside_a_run(workflow: Workflow) -> None:
    workflow.write("train.py", "import alpha, time, os\ntime.sleep(4)\nprint(alpha.version)\n")
    workflow.install("alpha", "2.0")
    process = started(workflow, "-c1", "-q", "all")
    until(lambda: "2.0" in view_text(workflow))
    during = workflow.plan(lock=False)
    assert "environment(train)" not in during.jobs
    assert not workflow.run().is_ok, "locked by the first one"
    assert process.wait(timeout=120) == 0
    assert workflow.is_done()


def view_text(workflow: Workflow) -> str:
    try:
        return workflow.read("environment/views/train.json")
    except OSError:
        return ""


def test_environment_that_is_not_created_yet(tmp_path: Path) -> None:
    config = "environments:\n  main: {python: envs/train.yaml}\n" + CONFIG
    workflow = Workflow(tmp_path, config=config)
    workflow.write("envs/train.yaml", "dependencies: [python]\n")
    found = workflow.plan()
    assert found.is_ok, found.text
    assert "environment(train)" in found.jobs
    conda = workflow.root / ".snakemake/conda"
    conda.mkdir(parents=True, exist_ok=True)
    (conda / "0123abcd_").symlink_to(workflow.venv.folder)
    (conda / "0123abcd_.yaml").write_text("dependencies: [python]\n")
    failed = workflow.run()
    assert not failed.is_ok, "its creation has not ended"
    (conda / "0123abcd_.env_setup_done").touch()
    done = workflow.run()
    assert done.is_ok, done.text
    assert workflow.is_done()
    assert '"alpha"' in workflow.read("environment/views/train.json")
    (conda / "0123abcd_.env_setup_done").unlink()
    found = workflow.plan()
    assert found.is_ok
    assert not found.jobs
    assert "has not created its environment yet" in found.text


def test_read_only_folder(workflow: Workflow) -> None:
    state, views = workflow.root / ".envstage", workflow.root / "environment/views"
    before = view_text(workflow)
    assert workflow.is_done()
    folders = [state, *(each for each in state.rglob("*") if each.is_dir())]
    try:
        for folder in (*folders, views):
            folder.chmod(0o500)
        if os.access(state, os.W_OK):
            pytest.skip("this user may write everywhere")
        assert workflow.is_done(), "nothing has to be written"
        workflow.install("alpha", "2.0")
        found = workflow.plan()
        assert not found.is_ok
        assert "cannot be written" in found.text
        assert "Traceback" not in found.text
        for folder in folders:
            folder.chmod(0o700)
        done = workflow.cli("snakemake", "-c1", code=1)
        assert "environment/views" in done
        assert view_text(workflow) == before
    finally:
        for folder in (*folders, views):
            folder.chmod(0o700)
    workflow.install("alpha", "1.0")
    assert workflow.is_done()


def test_jobs_on_another_node(workflow: Workflow) -> None:
    """A node whose environment is another: its jobs look at nothing, and the guard refuses."""
    before = workflow.read(".envstage/stamps/environment/train")
    submit = workflow.base / "submit.sh"
    other = workflow.base / "node"
    from tests.wheels import Venv, build_wheel

    Venv(other).install(build_wheel(workflow.wheelhouse, "alpha", "9.0"))
    log_file = workflow.base / "node.log"
    submit.write_text(
        f'#!/bin/sh\nPATH="{other}/bin:$PATH" sh "$1" > "{log_file}" 2>&1 &\necho 1\n'
    )
    submit.chmod(0o755)
    options = ("--executor", "cluster-generic", "--cluster-generic-submit-cmd", str(submit))
    words = ("snakemake", "-j1", "-q", "all", "--latency-wait", "1", "-R", "train", *options)
    status = workflow.base / "status.sh"
    status.write_text(f'#!/bin/sh\ngrep -q rror "{log_file}" && echo failed || echo running\n')
    status.chmod(0o755)
    watch = ("--cluster-generic-status-cmd", str(status), "--cluster-generic-cancel-cmd", "true")
    output = workflow.cli(*words, *watch, code=1)
    log = log_file.read_text()
    assert "this machine is not what the view says" in log, output + log
    assert "packages.alpha" in log
    assert workflow.read(".envstage/stamps/environment/train") == before
    assert json.loads(view_text(workflow))["selection"] == "observed"
