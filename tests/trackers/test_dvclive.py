"""DVCLive in a real `dvc exp run`: its params are the columns of the environment stage."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e
TRAIN = """\
from dvclive import Live
from envstage import capture_environment, log_environment_to_dvclive

info = capture_environment()
with Live(report=None, dvcyaml=None) as live:
    log_environment_to_dvclive(live, info)
    live.log_metric("loss", 0.5)
"""
DVC_YAML = """\
params:
- dvclive/params.yaml
stages:
  train:
    cmd: {python} train.py
    deps:
    - train.py
    outs:
    - dvclive:
        cache: false
"""


def test_the_columns_agree(tmp_path: Path) -> None:
    pytest.importorskip("dvclive", reason="dvclive is not installed", exc_type=ImportError)
    pipeline = Pipeline(tmp_path).create(
        DVC_YAML.format(python=sys.executable), **{"train.py": TRAIN}
    )
    pipeline.write(
        "envstage.yaml",
        f"environments:\n  main: {{python: {sys.executable}, level: platform}}\n"
        "columns: [python.version, packages.numpy.version, system.distribution]\n",
    )
    pipeline.run("envstage", "init", "dvc", "--yes")
    pipeline.commit("the environment is a stage")
    pipeline.run("dvc", "exp", "run")

    stage = json.loads(pipeline.read("environment/summary.json"))
    live = yaml.safe_load(pipeline.read("dvclive/params.yaml"))
    assert live == stage
    assert set(live["env"]) == {"python", "numpy", "distribution", "fingerprint"}
    shown = json.loads(pipeline.run("dvc", "exp", "show", "--json"))
    params = shown[0]["data"]["params"]
    tables = {
        name: table["data"]["env"] for name, table in params.items() if "env" in table["data"]
    }
    assert sorted(tables) == ["dvclive/params.yaml", "environment/summary.json"]
    assert tables["dvclive/params.yaml"] == tables["environment/summary.json"]


ALONE = """\
from envstage import capture_environment, save_environment_snapshot
from envstage.trackers import dvclive
from envstage.trackers.interface import Files

info = capture_environment()
requirements, environment, reproduce = save_environment_snapshot(info, "runs/environment")
files = Files(requirements=requirements, environment=environment, reproduce=reproduce)
print(dvclive.log(files, info))
"""


def test_by_the_interface_of_all_trackers(tmp_path: Path) -> None:
    pytest.importorskip("dvclive", reason="dvclive is not installed", exc_type=ImportError)
    pipeline = Pipeline(tmp_path).create(**{"alone.py": ALONE})
    assert pipeline.run(sys.executable, "alone.py").splitlines()[-1] == "dvclive"
    assert set(yaml.safe_load(pipeline.read("dvclive/params.yaml"))["env"]) >= {"python"}
    for name in ("requirements.txt", "environment.json", "REPRODUCE.md"):
        logged = pipeline.read(f"dvclive/artifacts/{name}")
        assert logged == pipeline.read(f"runs/environment/{name}")
