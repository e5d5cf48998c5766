"""A stage under the guard depends on what it used, and on nothing else."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Once
from tests.e2e.pipeline import Pipeline
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e

OPTIONAL = """\
import pathlib
import alpha
try:
    import gamma
except ImportError:
    gamma = None
pathlib.Path("model.txt").write_text(f"alpha {alpha.version} gamma {gamma and gamma.version}\\n")
"""


@pytest.fixture
def pipeline(once: Once) -> Pipeline:
    """A guarded pipeline with alpha (used), beta (not used); gamma is looked for in vain."""
    return once(__name__, made_pipeline)


def made_pipeline(base: Path) -> Pipeline:
    made = Pipeline(base).create(**{"train.py": OPTIONAL})
    made.install("alpha", "1.0")
    made.install("beta", "1.0")
    made.track("train")
    assert made.ran(made.repro()) == {"environment", "train"}
    made.commit("first run")
    return made


def facts(pipeline: Pipeline) -> dict[str, object]:
    document = json.loads(pipeline.read("environment/views/train.json"))
    return dict(document["facts"])


def test_first_run_narrows_without_a_rerun(pipeline: Pipeline) -> None:
    assert facts(pipeline)["packages"].keys() == {"alpha"}  # type: ignore[attr-defined]
    assert facts(pipeline)["modules"] == {"gamma": None}
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.commit("the environment stage's own entry in dvc.lock")
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    assert pipeline.status() == ""


def test_unused_package_reruns_nothing(pipeline: Pipeline) -> None:
    pipeline.install("beta", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.install("delta", "1.0")
    pipeline.venv.uninstall("beta")
    assert pipeline.ran(pipeline.repro()) == {"environment"}


def test_used_package_reruns_and_comes_back_from_the_run_cache(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    pipeline.install("alpha", "1.0")
    pipeline.install("beta", "3.0")
    output = pipeline.repro()
    assert "Stage 'train' is cached - skipping run" in output
    assert pipeline.read("model.txt") == "alpha 1.0 gamma None\n"


@pytest.mark.hard_case(32)
def test_name_that_was_missing_appears(pipeline: Pipeline) -> None:
    pipeline.install("gamma", "1.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    assert facts(pipeline)["packages"].keys() == {"alpha", "gamma"}  # type: ignore[attr-defined]
    pipeline.venv.uninstall("gamma")
    assert "is cached - skipping run" in pipeline.repro()
    pipeline.install("gamma", "1.0")
    assert "is cached - skipping run" in pipeline.repro()


def test_code_there_and_back(pipeline: Pipeline) -> None:
    before = pipeline.read("train.py")
    pipeline.write("train.py", before + "import beta\n")
    assert "train" in pipeline.ran(pipeline.repro())
    assert facts(pipeline)["packages"].keys() == {"alpha", "beta"}  # type: ignore[attr-defined]
    pipeline.write("train.py", before)
    assert "is cached - skipping run" in pipeline.repro()
    assert facts(pipeline)["packages"].keys() == {"alpha"}  # type: ignore[attr-defined]


def test_isolated_python_stays_wide(pipeline: Pipeline) -> None:
    text = pipeline.read("dvc.yaml").replace("-- python train.py", "-- python -I train.py")
    pipeline.write("dvc.yaml", text)
    output = pipeline.repro()
    assert "stays wide" in output
    assert facts(pipeline)["packages"].keys() == {"alpha", "beta"}  # type: ignore[attr-defined]
    assert pipeline.ran(pipeline.repro()) == {"environment"}


def test_failing_command_finalises_nothing(pipeline: Pipeline) -> None:
    before = pipeline.read("environment/views/train.json")
    pipeline.write("train.py", pipeline.read("train.py") + "import beta\nraise SystemExit(3)\n")
    assert "exited with 3" in pipeline.repro(code=255)
    assert pipeline.read("environment/views/train.json") == before


def test_guard_refuses_on_another_machine(pipeline: Pipeline) -> None:
    pipeline.install("alpha", "2.0")
    output = pipeline.run("envstage", "run", "--view", "train", "--", "python", "-c", "1", code=125)
    assert "packages.alpha 1.0 → 2.0 (upgrade)" in output


def test_compound_command_with_its_own_pythonpath_is_observed(pipeline: Pipeline) -> None:
    pipeline.write("src/helper.py", "value = 1\n")
    pipeline.write("train.py", "import helper\n" + pipeline.read("train.py"))
    text = pipeline.read("dvc.yaml").replace(
        "-- python train.py", "--shell 'PYTHONPATH=src python train.py && echo done'"
    )
    pipeline.write("dvc.yaml", text)
    output = pipeline.repro()
    assert "done" in output
    assert "stays wide" not in output
    assert facts(pipeline)["packages"].keys() == {"alpha"}  # type: ignore[attr-defined]


def test_list_of_commands_is_finalised_after_the_last(pipeline: Pipeline) -> None:
    pipeline.write("second.py", "import beta\n")
    text = pipeline.read("dvc.yaml").replace(
        "cmd: envstage run --view train -- python train.py",
        "cmd:\n    - envstage run --view train --part 1/2 -- python train.py\n"
        "    - envstage run --view train --part 2/2 -- python second.py",
    )
    pipeline.write("dvc.yaml", text)
    pipeline.repro()
    assert facts(pipeline)["packages"].keys() == {"alpha", "beta"}  # type: ignore[attr-defined]
    assert pipeline.ran(pipeline.repro()) == {"environment"}


def test_facts_included_by_name_say_nothing_about_what_was_used(pipeline: Pipeline) -> None:
    # Of beta the version is included, its build is not; no shell script uses a Python.
    pipeline.write(
        "envstage.yaml",
        "views: {train: {include: [packages.beta.version, python.implementation]}}\n",
    )
    pipeline.write("train.sh", "echo done > model.txt\n")
    text = pipeline.read("dvc.yaml").replace("python train.py", "sh train.sh")
    pipeline.write("dvc.yaml", text.replace("- train.py", "- train.sh"))
    assert "train" in pipeline.ran(pipeline.repro())
    assert facts(pipeline)["packages"] == {"beta": {"version": "1.0"}}
    assert facts(pipeline)["python"] == {"implementation": "cpython"}
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.write("train.sh", "echo changed > model.txt\n")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    pipeline.install("beta", "2.0")
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}


SCRIPT = "import sys\n\ndef main():\n    open(sys.argv[1], 'w').write('done\\n')\n"
CONSOLE_YAML = """\
stages:
  report:
    cmd: summarise model.txt
    outs:
    - model.txt
"""


def test_console_script_counts_as_its_package(tmp_path: Path) -> None:
    made = Pipeline(tmp_path).create(CONSOLE_YAML)
    options = {
        "files": {"summariser.py": SCRIPT},
        "entry_points": "[console_scripts]\nsummarise = summariser:main\n",
    }
    wheel = build_wheel(made.wheelhouse, "summariser", "1.0", **options)  # type: ignore[arg-type]
    made.venv.install(wheel)
    made.track("report")
    made.repro()
    document = json.loads(made.read("environment/views/report.json"))
    assert document["facts"]["packages"].keys() == {"summariser"}
    # The wrapper holds the environment's path, and pip words it otherwise than uv.
    assert "files" not in document["facts"]
    made.venv.pip_install(wheel)
    assert made.ran(made.repro()) == {"environment"}


OUTSIDE = """\
import sys, pathlib
sys.path.insert(0, str(pathlib.Path.home() / "lib"))
import loose
pathlib.Path("model.txt").write_text(loose.version)
"""


def test_a_file_from_home_is_named_without_the_user(tmp_path: Path) -> None:
    made = Pipeline(tmp_path).create(**{"train.py": OUTSIDE})
    for user in ("ada", "bob"):
        (tmp_path / user / "lib").mkdir(parents=True)
        (tmp_path / user / "lib" / "loose.py").write_text("version = '1'\n")
    made.environ["HOME"] = str(tmp_path / "ada")
    made.track("train")
    made.repro()
    assert facts(made)["files"].keys() == {"~/lib/loose.py"}  # type: ignore[attr-defined]
    made.environ["HOME"] = str(tmp_path / "bob")
    assert made.ran(made.repro()) == {"environment"}
    (tmp_path / "bob" / "lib" / "loose.py").write_text("version = '2'\n")
    assert made.ran(made.repro()) == {"environment", "train"}


def test_every_fact_of_a_view_has_a_reason(pipeline: Pipeline) -> None:
    output = pipeline.run("envstage", "show", "--view", "train", "--why")
    assert "packages.alpha" in output
    assert "(imported by train.py)" in output
    assert "(looked up and not found by train.py)" in output
    assert "(level platform)" in output
    assert "observed view; left out: 1 package of the environment" in output


def test_check_of_a_revision_asks_what_its_view_selected(pipeline: Pipeline) -> None:
    pipeline.run("git", "tag", "v1")
    pipeline.install("beta", "2.0")  # no run used it
    assert "beta" in pipeline.run("envstage", "check", "v1", code=1)
    snapshot = pipeline.read("environment/environment.json")
    (pipeline.base / "old.json").write_text(snapshot)
    for ref in ("v1", "../old.json"):
        output = pipeline.run("envstage", "check", ref, "--view", "train")
        assert "view train: this machine matches" in output, ref
    pipeline.install("alpha", "2.0")
    for ref in ("v1", "../old.json"):
        output = pipeline.run("envstage", "check", ref, "--view", "train", code=1)
        assert "alpha  1.0 → 2.0" in output
        assert "beta" not in output


def test_a_view_that_is_not_there_is_named(pipeline: Pipeline) -> None:
    (pipeline.root / "environment/views/train.json").unlink()
    for command in ("show", "check"):
        output = pipeline.run("envstage", command, "--view", "train", code=2)
        assert output == (
            "envstage: environment/views/train.json: there is no view yet. Run `envstage capture`, "
            "or the pipeline.\n"
        )
        output = pipeline.run("envstage", command, "-e", "gpu", code=2)
        assert "there is no environment `gpu` (there: main)" in output
    output = pipeline.run("envstage", "show", "now", "--view", "train", code=2)
    assert "`envstage check --view train` compares it with this machine" in output


def test_a_locale_without_unicode(pipeline: Pipeline) -> None:
    # A cluster's: a capture must not fail for want of an arrow.
    pipeline.environ |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "train" in pipeline.ran(pipeline.repro())  # PYTHONUTF8 counts
    pipeline.install("alpha", "2.0")
    output = pipeline.repro()
    assert "packages.alpha 1.0 -> 2.0 (upgrade)" in output
    assert pipeline.ran(output) == {"environment", "train"}
    assert pipeline.ran(pipeline.repro()) == {"environment"}
