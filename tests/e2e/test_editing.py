"""`envstage init`, `track` and `--remove` on the command line, and the pipelines they leave."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Make
from tests.e2e.pipeline import DVC_YAML, Pipeline

pytestmark = pytest.mark.e2e

# Four spaces, quotes, flow lists, comments: what an editor of YAML must leave alone.
REPEATED = """\
# the pipeline
vars:
    - names: [a, b]

stages:
    freeze:
        cmd: pip freeze > requirements.lock
        outs: ["requirements.lock"]
    train:  # once
        cmd: python train.py
        deps: [train.py, requirements.lock]   # flow
        outs:
            - 'model.txt'
    score:
        foreach: ${names}
        do:
            cmd: python score.py ${item}
            deps: [score.py, model.txt]
            outs: ["score-${item}.txt"]
    plot:
        matrix:
            size: [1, 2]
        cmd:
            - python score.py plot
            - python -c "open('plot-${item.size}.txt', 'w').write('${item.size}')"
        deps:
            - score.py
        outs:
            - plot-${item.size}.txt
"""
SCORE = """\
import sys
import beta
if sys.argv[1] != "plot":
    open(f"score-{sys.argv[1]}.txt", "w").write(f"{sys.argv[1]} {beta.version}")
"""


@pytest.fixture
def bare(make: Make) -> Pipeline:
    """A pipeline without envstage, in an environment that has alpha and beta."""
    pipeline = make("--no-guard")
    pipeline.run("git", "reset", "-q", "--hard", "HEAD~2")
    pipeline.run("git", "clean", "-fdxq")
    assert pipeline.read("dvc.yaml") == DVC_YAML
    return pipeline


def envstage(pipeline: Pipeline, words: str, code: int = 0) -> str:
    return pipeline.run("envstage", *words.split(), code=code)


def test_nobody_to_ask(bare: Pipeline) -> None:
    before = bare.files()
    output = envstage(bare, "init dvc", code=2)
    assert "+  environment:" in output
    assert "envstage: nobody is there to ask, nothing was written. Add --yes to write it." in output
    assert bare.files() == before
    assert bare.status() == ""


def test_dry_run_writes_nothing(bare: Pipeline) -> None:
    assert "+    cmd: envstage capture" in envstage(bare, "init dvc --dry-run")
    assert bare.status() == ""
    envstage(bare, "init dvc --yes")
    bare.commit("init")
    assert "+    - environment/views/train.json" in envstage(bare, "track train -n")
    assert bare.status() == ""


@pytest.mark.parametrize(("answer", "is_written"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_somebody_is_asked(bare: Pipeline, answer: str, is_written: bool) -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(bare.tools / "envstage"), "init", "dvc"],
        cwd=bare.root,
        env=bare.variables(NO_COLOR="1"),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(controller, answer.encode())
    output = process.communicate(timeout=30)[0]
    os.close(terminal)
    os.close(controller)
    assert "Write this? [y/N]" in output
    assert (process.returncode == 0) is is_written
    assert ("always_changed" in bare.read("dvc.yaml")) is is_written
    if not is_written:
        assert "envstage: nothing was written." in output


def test_twice_is_once(bare: Pipeline) -> None:
    envstage(bare, "init dvc --yes")
    envstage(bare, "track --yes train")
    bare.commit("tracked")
    before = bare.files()
    assert "nothing to do: it is already so" in envstage(bare, "init dvc --yes")
    assert "nothing to do: it is already so" in envstage(bare, "track --yes train")
    # Nobody need be asked where nothing changes.
    envstage(bare, "init dvc")
    assert bare.files() == before


def test_removed_after_it_ran(bare: Pipeline) -> None:
    before = bare.files()
    envstage(bare, "init dvc --yes")
    envstage(bare, "track --yes train")
    bare.repro()
    output = envstage(bare, "init dvc --remove --yes")
    assert "environment/ stays: `git rm -r environment` removes it" in output
    assert bare.read("dvc.yaml") == before["dvc.yaml"].decode()
    bare.repro()
    assert bare.read("model.txt") == "alpha 1.0\n"
    assert "didn't change" in bare.repro()
    assert "there is no environment stage of envstage here" in envstage(
        bare, "init dvc --remove --yes", code=2
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("track --yes train", "the pipeline has no environment stage. Run `envstage init dvc`."),
        ("init dvc --replace train --yes", "train: does not write down the environment"),
        ("init dvc --replace nosuch --yes", "there is no stage `nosuch`"),
    ],
)
def test_refused(bare: Pipeline, words: str, said: str) -> None:
    output = envstage(bare, words, code=2)
    assert said in output
    assert output.count("\n") == 1
    assert bare.status() == ""


def test_refused_where_the_folder_is_ignored_or_the_name_taken(bare: Pipeline) -> None:
    bare.write(".gitignore", "environment*\n")
    assert "ignore" in envstage(bare, "init dvc --yes", code=2)
    bare.write(".gitignore", "")
    bare.write("dvc.yaml", DVC_YAML.replace("train:", "environment:"))
    assert "a stage `environment` is there already" in envstage(bare, "init dvc --yes", code=2)
    (bare.root / "dvc.yaml").unlink()
    assert envstage(bare, "init dvc --yes", code=2).count("\n") == 1


def test_a_capture_without_init_leaves_nothing_to_commit_by_mistake(bare: Pipeline) -> None:
    envstage(bare, "capture")
    assert bare.status() == "?? environment/\n"
    bare.run("git", "add", "-A")
    added = bare.run("git", "diff", "--cached", "--name-only").split()
    assert "environment/environment.json" in added
    assert not [each for each in added if "context" in each or each.startswith(".envstage")]


def test_no_such_stage(bare: Pipeline) -> None:
    envstage(bare, "init dvc --yes")
    assert "there is no stage `trian`. Did you mean `train`?" in envstage(
        bare, "track --yes trian", code=2
    )
    assert "this is the environment's own stage" in envstage(
        bare, "track --yes environment", code=2
    )


def test_freeze_stage_is_replaced_and_repeated_stages_are_guarded(bare: Pipeline) -> None:
    bare.write("dvc.yaml", REPEATED)
    bare.write("score.py", SCORE)
    bare.commit("a longer pipeline")
    envstage(bare, "init dvc --yes --replace freeze")
    text = bare.read("dvc.yaml")
    assert "pip freeze" not in text
    assert "deps: [train.py, environment/views/train.json]   # flow" in text
    output = envstage(bare, "track --yes train score plot")
    assert "`score` stands for several stages: they share the view `score`" in output
    instances = {"score@a", "score@b", "plot@1", "plot@2"}
    output = bare.repro()
    assert bare.ran(output) == {"environment", "train", *instances}
    assert bare.read("score-a.txt") == "a 1.0"
    assert bare.ran(bare.repro()) == {"environment"}
    bare.commit("first run")
    assert bare.ran(bare.repro()) == {"environment"}
    assert bare.status() == ""
    # train used alpha alone; the views that instances share are as wide as the environment.
    bare.install("beta", "2.0")
    assert bare.ran(bare.repro()) == {"environment", *instances}
    bare.install("beta", "1.0")
    output = bare.repro()
    assert bare.ran(output) == {"environment"}
    assert "Stage 'score@a' is cached - skipping run" in output
    assert bare.status() == ""
    envstage(bare, "init dvc --remove --yes")
    expected = REPEATED.replace(
        REPEATED[REPEATED.index("    freeze") : REPEATED.index("    train:")], ""
    )
    assert bare.read("dvc.yaml") == expected.replace(", requirements.lock]", "]")


def test_a_pipeline_below_the_top_of_its_repository_is_a_project(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path).create()
    pipeline.install("alpha", "1.0")
    (pipeline.root / "models/a").mkdir(parents=True)
    pipeline.run("git", "mv", "dvc.yaml", "train.py", "models/a")
    output = pipeline.run("envstage", "init", "dvc", "--yes", code=2)
    assert "Change into the folder that holds it (models/a)." in output
    pipeline.run("envstage", "init", "dvc", "--yes", cwd="models/a")
    pipeline.run("envstage", "track", "train", "--yes", cwd="models/a")
    assert not (pipeline.root / "envstage.yaml").exists()
    assert "view train: 1 of 1 packages used" in pipeline.run("dvc", "repro", cwd="models/a")
    pipeline.install("alpha", "2.0")
    assert "Running stage 'models/a/dvc.yaml:train'" in pipeline.repro("-P")
    pipeline.run("envstage", "init", "dvc", "--remove", "--yes", cwd="models/a")
    assert pipeline.read("models/a/dvc.yaml") == DVC_YAML
