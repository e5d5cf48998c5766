"""The environment as a stage of a real DVC pipeline: what reruns, and what does not."""

import time

import pytest

from tests.e2e.conftest import Make
from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e


def test_nothing_changed(pipeline: Pipeline) -> None:
    before = pipeline.files()
    output = pipeline.repro()
    assert pipeline.ran(output) == {"environment"}
    assert "Stage 'train' didn't change, skipping" in output
    assert pipeline.files() == before
    assert pipeline.status() == ""


def test_unchanged_files_keep_their_time(pipeline: Pipeline) -> None:
    # Snakemake and editors look at it.
    committed = sorted((pipeline.root / "environment").rglob("*.*"))
    before = {path: path.stat().st_mtime_ns for path in committed if path.name != "context.json"}
    time.sleep(0.02)
    pipeline.repro()
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_there_and_back_again(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    assert pipeline.read("model.txt") == "alpha 2.0\n"
    pipeline.install("alpha", "1.0")
    output = pipeline.repro()
    assert "Stage 'train' is cached - skipping run" in output
    assert pipeline.read("model.txt") == "alpha 1.0\n"
    assert pipeline.status() == ""


@pytest.mark.hard_case(19)
@pytest.mark.parametrize("options", ["--no-guard", ""], ids=["wide", "observed"])
def test_another_clone_user_locale_and_time_give_the_same_bytes(make: Make, options: str) -> None:
    pipeline = make(options)
    other = pipeline.clone("another clone, elsewhere")
    time.sleep(1.1)  # another second, should one be written anywhere
    for name in ("home", "tmp"):
        (other.base / name).mkdir()
    (other.root / "deep" / "er").mkdir(parents=True)
    # All that a person or a CI has set differently, at once.
    other.environ |= {
        "HOME": str(other.base / "home"),
        "XDG_CACHE_HOME": "",
        "USER": "grace",
        "LOGNAME": "grace",
        "HOSTNAME": "another",
        "LC_ALL": "C",
        "LANG": "tr_TR.UTF-8",
        "TZ": "Pacific/Kiritimati",
        "TMPDIR": str(other.base / "tmp"),
        "PYTHONHASHSEED": "random",  # the default, said aloud
        "COLUMNS": "20",
        "PWD": "/nowhere",
        "SHELL": "/bin/sh",
    }
    before = pipeline.files()
    other.run("envstage", "capture", cwd="deep/er", umask=0o077)
    assert other.files() == before
    output = other.repro("environment", umask=0o027)
    assert other.ran(output) == {"environment"}
    assert other.files() == before
    assert other.status() == ""


def test_a_view_that_the_configuration_lost_is_no_missed_rerun(pipeline: Pipeline) -> None:
    text = pipeline.read("envstage.yaml")
    pipeline.write("envstage.yaml", text.replace("train:", "trian:"))
    pipeline.install("alpha", "2.0")
    output = pipeline.repro(code=255)
    assert "environment/views/train.json: no view of the configuration has this name" in output
    assert "Did you mean `trian`" in output
    pipeline.write("envstage.yaml", text)
    assert "train" in pipeline.ran(pipeline.repro())


def test_a_missing_interpreter_replaces_no_snapshot(pipeline: Pipeline) -> None:
    before = pipeline.read("environment/environment.json")
    pipeline.write("envstage.yaml", "environments:\n  main: {python: nopython3}\n")
    (pipeline.root / "environment/views/train.json").unlink()
    output = pipeline.run("envstage", "capture", code=3)
    assert "there is no interpreter `nopython3`" in output
    assert pipeline.read("environment/environment.json") == before
