"""A rule with a `conda:` directive, by a stand-in for the program `conda` alone.

No conda is at hand: the stand-in makes a virtual environment that wears a captured `conda-meta`
where Snakemake wants the environment. All else is Snakemake's own: when it is created, how it is
activated, which Python a script gets, what of the environment's variables reaches it.
"""

import json
import sys
from pathlib import Path

import pytest

from tests.snakemake.workflow import Workflow
from tests.wheels import Venv, build_wheel

pytestmark = pytest.mark.e2e

SNAKEFILE = """\
import envstage
include: envstage.snakefile()
rule all:
    default_target: True
    input: "model.txt", "score.txt"
rule fit:
    input: env="environment/train/views/fit.json"
    output: "model.txt"
    conda: "envs/train.yaml"
    script: "fit.py"
rule score:
    input: "model.txt", env="environment/train/views/score.json"
    output: "score.txt"
    conda: "envs/train.yaml"
    shell: "envstage run --view score -- python score.py > {output}"
"""
CONFIG = """\
environments:
  main: {}
  train: {python: envs/train.yaml}
views:
  fit: {environment: train}
  score: {environment: train}
"""
FIT = "import alpha\nopen(snakemake.output[0], 'w').write(alpha.version)\n"
# As conda 24 wrote it, less the list of its files.
ZLIB = {
    "build": "h4ab18f5_1",
    "build_number": 1,
    "channel": "https://conda.anaconda.org/conda-forge/linux-64",
    "constrains": [],
    "depends": ["libgcc-ng >=12", "libzlib 1.3.1 h4ab18f5_1"],
    "files": ["include/zlib.h", "lib/libz.so"],
    "fn": "zlib-1.3.1-h4ab18f5_1.conda",
    "license": "Zlib",
    "md5": "9653f1bf3766164d0e65fa723cabbc54",
    "name": "zlib",
    "subdir": "linux-64",
    "url": "https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-h4ab18f5_1.conda",
    "version": "1.3.1",
}
STAND_IN = """\
#!{python}
import json, pathlib, shutil, sys
words = sys.argv[1:]
if words[:1] == ["info"]:
    print(json.dumps({{"conda_prefix": {base!r}, "platform": "linux-64"}}))
elif words == ["--version"]:
    print("conda 24.9.2")
elif words[:2] == ["config", "--get"]:
    print(json.dumps({{"get": {{"channel_priority": "strict"}}}}))
elif words[:2] == ["env", "create"]:
    prefix = words[words.index("--prefix") + 1]
    sys.path.insert(0, {tests!r})
    from tests.wheels import Venv
    venv = Venv(pathlib.Path(prefix))
    venv.install(*map(pathlib.Path, {wheels!r}))
    meta = venv.folder / "conda-meta"
    meta.mkdir()
    shutil.copy({record!r}, meta / "zlib-1.3.1-h4ab18f5_1.json")
elif words[:1] != ["clean"]:
    sys.exit(f"the stand-in knows nothing of {{words}}")
"""
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


def conda(workflow: Workflow) -> Venv:
    """Put the stand-in on PATH; the environment that it will make."""
    base = workflow.base / "conda"
    (base / "bin").mkdir(parents=True)
    (base / "bin" / "activate").write_text(ACTIVATE)
    record = base / "zlib.json"
    record.write_text(json.dumps(ZLIB))
    wheels = [build_wheel(workflow.wheelhouse, name, "1.0") for name in ("alpha", "beta")]
    text = STAND_IN.format(
        python=sys.executable,
        base=str(base),
        tests=str(Path(__file__).parents[2]),
        wheels=[str(each) for each in wheels],
        record=str(record),
    )
    program = workflow.tools / "conda"
    program.write_text(text)
    program.chmod(0o755)
    return Venv.at(workflow.root / ".snakemake" / "conda")


def snakemake(workflow: Workflow, *words: str) -> str:
    return workflow.cli("snakemake", "-c2", "--sdm", "conda", *words)


def test_environment_of_a_conda_directive(tmp_path: Path) -> None:
    workflow = Workflow(tmp_path, SNAKEFILE, CONFIG)
    workflow.write("envs/train.yaml", "dependencies: [python, zlib]\n")
    workflow.write("fit.py", FIT)
    workflow.write("score.py", "import beta\nprint(beta.version)\n")
    conda(workflow)
    planned = snakemake(workflow, "-n")
    assert "rule fit" in planned
    assert "envstage: error" not in planned
    output = snakemake(workflow)
    assert "rule fit" in output
    for options in ((), ("--rerun-triggers", "mtime"), ("--max-checksum-file-size", "0")):
        assert "Nothing to be done" in snakemake(workflow, "-n", *options)
    assert workflow.read("model.txt") == "1.0"
    for view, used in (("fit", "alpha"), ("score", "beta")):
        found = json.loads(workflow.read(f"environment/train/views/{view}.json"))
        assert found["selection"] == "observed", output
        assert {"alpha", "beta"} & found["facts"]["packages"].keys() == {used}
    snapshot = json.loads(workflow.read("environment/train/environment.json"))
    assert snapshot["facts"]["conda"]["zlib"]["version"] == "1.3.1"

    (made,) = (workflow.root / ".snakemake" / "conda").glob("*_")
    Venv.at(made).install(build_wheel(workflow.wheelhouse, "alpha", "2.0"))
    planned = snakemake(workflow, "-n")
    assert "rule fit" in planned
    assert "environment/train/views/score.json" not in planned.partition("Job stats")[0]
    assert "packages.alpha  1.0 → 2.0" in workflow.cli("envstage", "why", "model.txt")
