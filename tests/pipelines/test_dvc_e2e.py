"""Init, track and remove with a real DVC. Only `envstage` itself is a stand-in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envstage.pipelines.dvc import apply, plan_init, plan_remove, plan_track
from tests.pipelines.pipelines import git

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        shutil.which("dvc", path=os.path.dirname(sys.executable)) is None
        and shutil.which("dvc") is None,
        reason="dvc is not installed",
    ),
]

DVC_YAML = """\
# the pipeline
stages:
    train: # long
        cmd: echo ran >> log && cp data model   # quick
        deps:
        - data
        outs: [model]

    evaluate:
        foreach: [a, b]
        do:
            cmd: cat model > score-${item}
            wdir: .
            deps: [model]
            outs:
            - score-${item}
# the end
"""

# Writes what a capture writes; $NUMPY is the environment. As the guard: runs what it is given.
STAND_IN = """#!/bin/sh
if [ "$1" = run ]; then
  while [ "$1" != -- ] && [ "$1" != --shell ]; do shift; done
  form=$1; shift
  echo guarded >> guard.log
  if [ "$form" = -- ]; then exec "$@"; else exec /bin/sh -c "$1"; fi
fi
mkdir -p environment/facets environment/views
echo "{\\"packages\\": {\\"numpy\\": {\\"version\\": \\"$NUMPY\\"}}}" > environment/environment.json
echo "{\\"env\\": {\\"numpy\\": \\"$NUMPY\\"}}" > environment/summary.json
echo "numpy==$NUMPY" > environment/requirements.txt
echo "# Reproduce" > environment/REPRODUCE.md
echo "{\\"numpy\\": \\"$NUMPY\\"}" > environment/facets/packages.json
echo "{}" > environment/facets/python.json
echo "{\\"numpy\\": \\"$NUMPY\\"}" > environment/views/train.json
[ -z "$EVALUATE" ] || cp environment/views/train.json environment/views/evaluate.json
date +%N > environment/context.json
"""


class Repository:
    """A Git and DVC repository with a stand-in for envstage on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repo"
        self.root.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        (programs / "envstage").write_text(STAND_IN)
        (programs / "envstage").chmod(0o755)
        path = f"{programs}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
        own = {"PATH": path, "NUMPY": "1", "DVC_NO_ANALYTICS": "1", "SHELL": "/bin/sh"}
        self.environ = {**os.environ, **own}
        git(self.root, "init", "-q")
        git(self.root, "config", "user.name", "A")
        git(self.root, "config", "user.email", "a@example.org")
        self.dvc("init", "-q")
        (self.root / "data").write_text("1")
        (self.root / "dvc.yaml").write_text(DVC_YAML)
        self.commit("start")

    def dvc(self, *args: str, **environ: str) -> str:
        done = subprocess.run(
            ["dvc", *args], cwd=self.root, env={**self.environ, **environ},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commit(self, message: str) -> None:
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", message)

    def runs(self) -> int:
        log = self.root / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_the_environment_becomes_a_node_of_the_pipeline(repository: Repository) -> None:
    root = str(repository.root)
    apply(plan_init(root), root)
    apply(plan_track(root, ("train",)), root)
    repository.commit("envstage")
    repository.dvc("repro")
    assert repository.runs() == 1
    repository.commit("first")

    assert "Stage 'train' didn't change" in repository.dvc("repro")
    assert git(repository.root, "status", "--porcelain") == ""

    repository.dvc("repro", NUMPY="2")
    assert repository.runs() == 2
    assert "environment/facets/packages.json" in repository.dvc("diff")
    assert "env.numpy" in repository.dvc("params", "diff")
    assert "env.numpy" in repository.dvc("exp", "show", "--csv").splitlines()[0]
    repository.commit("second")

    assert "Stage 'train' is cached" in repository.dvc("repro")
    assert repository.runs() == 2

    apply(plan_remove(root), root)
    assert (repository.root / "dvc.yaml").read_text() == DVC_YAML
    repository.dvc("repro")
    assert repository.runs() == 2


def test_guarded_stages_run_and_are_skipped(repository: Repository) -> None:
    root = str(repository.root)
    apply(plan_init(root), root)
    apply(plan_track(root, ("train", "evaluate"), guard=True), root)
    repository.environ["EVALUATE"] = "1"
    repository.dvc("repro")
    assert (repository.root / "guard.log").read_text() == "guarded\n"  # evaluate: not guardable
    assert repository.runs() == 1
    output = repository.dvc("repro")
    assert "Stage 'train' didn't change" in output
    assert "Stage 'evaluate@b' didn't change" in output
    apply(plan_remove(root), root)
    assert (repository.root / "dvc.yaml").read_text() == DVC_YAML


def test_removed_before_anything_ran_nothing_is_left(repository: Repository) -> None:
    root = str(repository.root)
    apply(plan_init(root), root)
    apply(plan_remove(root), root)
    assert git(repository.root, "status", "--porcelain") == ""


def test_the_template_is_a_pipeline(repository: Repository) -> None:
    from envstage.pipelines.templates import template

    (repository.root / "dvc.yaml").write_text(template("dvc", "dvc.yaml"))
    assert "environment" in repository.dvc("stage", "list")
