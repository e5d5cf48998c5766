"""Receipts of every end: a crash, a death by signal, a change meanwhile, what nobody could see."""

import shutil
import signal
import subprocess

import pytest

from tests.e2e.conftest import Once
from tests.e2e.pipeline import Pipeline
from tests.e2e.receipts import made_pipeline, read

pytestmark = pytest.mark.e2e


@pytest.fixture
def pipeline(once: Once) -> Pipeline:
    return once("receipts", made_pipeline)


ENDS = {
    "crash": ("1 / 0", 1, None, "failed"),
    "os._exit": ("import os; os._exit(3)", 3, None, "failed"),
    "SIGTERM": ("import os; os.kill(os.getpid(), 15)", -15, "SIGTERM", "killed"),
    "SIGKILL": ("import os; os.kill(os.getpid(), 9)", -9, "SIGKILL", "killed"),
    "SIGSEGV": ("import ctypes; ctypes.string_at(0)", -11, "SIGSEGV", "killed"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_is_told(pipeline: Pipeline, name: str) -> None:
    text, code, killed_by, outcome = ENDS[name]
    pipeline.write("ends.py", f"import alpha\n{text}\n")
    pipeline.run(*"envstage run --view train --receipt r.json -- python ends.py".split(), code=None)
    receipt = read(pipeline, "r.json")
    run, observed = receipt["run"], receipt["commands"][0]["observed"]
    expected = code if code > 0 else 128 - code
    assert (run["outcome"], run["exit_code"], run["signal"]) == (outcome, expected, killed_by)
    assert observed["packages"] == {"alpha": "1.0"}
    assert not observed["is_complete"]
    (process,) = observed["processes"]
    is_seen = killed_by is None
    assert (process["unseen"] == "") == is_seen == bool(process["settings"])
    assert receipt["view"]["fate"] == "as it was"
    assert killed_by is None or killed_by in pipeline.run("envstage", "show", "r.json")


def test_who_kills_the_guard_kindly_gets_a_receipt_too(pipeline: Pipeline) -> None:
    pipeline.write("waits.py", "import alpha, time\nprint(1, flush=True)\ntime.sleep(60)\n")
    variables = pipeline.variables()
    process = subprocess.Popen(
        ["envstage", "run", "--view", "train", "--receipt", "r.json", "--", "python", "waits.py"],
        cwd=pipeline.root,
        env=variables,
        executable=shutil.which("envstage", path=variables["PATH"]),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert read(pipeline, "r.json")["run"]["signal"] == "SIGTERM"


def test_workers_other_pythons_and_what_escapes(pipeline: Pipeline) -> None:
    pipeline.write(
        "many.py",
        "import multiprocessing, subprocess, sys\n"
        "def work(n):\n    import alpha\n"
        "if __name__ == '__main__':\n"
        "    for method in ('fork', 'spawn'):\n"
        "        each = multiprocessing.get_context(method).Process(target=work, args=(1,))\n"
        "        each.start(), each.join()\n"
        "    subprocess.run([sys.executable, '-c', 'import beta'])\n",
    )
    run = "envstage run --view train --receipt r.json -- python".split()
    pipeline.run(*run, "many.py")
    observed = read(pipeline, "r.json")["commands"][0]["observed"]
    assert observed["is_complete"]
    assert observed["packages"] == {"alpha": "1.0", "beta": "1.0"}
    assert sum(each["count"] for each in observed["processes"]) >= 4
    pipeline.run(*run, "-I", "many.py")
    assert not read(pipeline, "r.json")["commands"][0]["observed"]["is_complete"]
    pipeline.run(*"envstage run --view train --no-observe --receipt r.json -- true".split())
    receipt = read(pipeline, "r.json")
    assert receipt["commands"][0]["observed"] is None
    assert any("--no-observe" in each for each in receipt["unseen"])


def test_the_place_of_a_receipt(pipeline: Pipeline) -> None:
    run = "envstage run --view train --receipt".split()
    output = pipeline.run(*run, "train.py", "--", "python", "-c", "1", code=2)
    assert "is there already, and it is no receipt" in output
    assert "alpha" in pipeline.read("train.py")
    pipeline.run(*run, "r.json", "--", "true")
    # The one before goes first: it must not stand for a run that is cut off.
    pipeline.run(*run, "r.json", "--", "sh", "-c", "test ! -e r.json")
    pipeline.run("envstage", "run", "--view", "train", "--attest", "--", "true", code=2)


def test_a_change_while_the_stage_runs_is_in_the_receipt(pipeline: Pipeline) -> None:
    site = pipeline.venv.site
    pipeline.write(
        "train.py",
        pipeline.read("train.py") + f"import os\nos.rename({str(site / 'alpha-1.0.dist-info')!r},"
        f" {str(site / 'alpha-3.0.dist-info')!r})\n",
    )
    assert "changed while the command ran" in pipeline.repro(code=255)
    receipt = read(pipeline)
    assert receipt["run"]["outcome"] == "drifted"
    assert "packages.alpha" in receipt["remarks"][0]


def test_what_the_policy_let_pass_is_in_the_receipt(pipeline: Pipeline) -> None:
    run = "envstage run --view train --receipt r.json".split()
    pipeline.install("alpha", "2.0")
    pipeline.run(*run, "--on-mismatch", "record", "--", "python", "train.py")
    receipt = read(pipeline, "r.json")
    assert "packages.alpha 1.0 → 2.0" in receipt["remarks"][0]
    assert receipt["run"]["outcome"] == "ended"
    assert receipt["snapshot"]["facts"]["packages"]["alpha"]["version"] == "2.0"
    folder = pipeline.venv.site / "alpha-2.0.dist-info"
    pipeline.write(
        "x.py", f"import alpha, os\nos.rename({str(folder)!r}, {str(folder)!r} + '.x')\n"
    )
    pipeline.run(*run, "--on-mismatch", "record", "--on-drift", "warn", "--", "python", "x.py")
    receipt = read(pipeline, "r.json")
    assert (receipt["run"]["outcome"], receipt["run"]["exit_code"]) == ("drifted", 0)
    assert "alpha" in receipt["remarks"][1]
