"""A pipeline in which nothing changed: with the environment stage, without, with `pip freeze`."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.speed.environments import Environment, run
from benchmarks.speed.processes import Command

WITHOUT: Final = "without"
WITH: Final = "with envstage"
FREEZE: Final = "with pip freeze"
_STAGES: Final = ("prepare", "train", "evaluate")
_FREEZE_STAGE: Final = """\
  freeze:
    cmd: pip freeze > frozen.txt
    always_changed: true
    outs:
    - frozen.txt
"""
_RULES: Final = """\
rule all:
    input: "evaluate.txt"

"""
_FREEZE_RULE: Final = """\
import subprocess
frozen = subprocess.run(["pip", "freeze"], capture_output=True, text=True, check=True).stdout

"""


def dvc(environment: Environment) -> Iterator[Command]:
    """`dvc repro` of three stages."""
    for kind in (WITHOUT, WITH, FREEZE):
        root = _repository(environment, f"dvc {kind}")
        _call(environment, root, "dvc", "init", "-q")
        _call(environment, root, "dvc", "config", "core.analytics", "false")
        (root / "dvc.yaml").write_text(_dvc_yaml(is_frozen=kind == FREEZE))
        if kind == WITH:
            _call(environment, root, "envstage", "init", "dvc", "--yes")
            _call(environment, root, "envstage", "track", *_STAGES, "--yes")
        for _ in range(3):
            _call(environment, root, "dvc", "repro", "-q")
        argv = (str(environment.bin / "dvc"), "repro", "-q")
        yield Command(name=kind, argv=argv, cwd=root, environ=environment.environ)


def snakemake(environment: Environment) -> Iterator[Command]:
    """`snakemake -n` of three rules."""
    for kind in (WITHOUT, WITH, FREEZE):
        root = _repository(environment, f"snakemake {kind}")
        if kind == WITH:
            (root / "envstage.yaml").write_text("views:\n  train: {}\n")
        (root / "Snakefile").write_text(_snakefile(kind))
        for _ in range(3):
            _call(environment, root, "snakemake", "-q", "all", "-c1")
        argv = (str(environment.bin / "snakemake"), "-n", "-q", "all")
        yield Command(name=kind, argv=argv, cwd=root, environ=environment.environ)


def _dvc_yaml(*, is_frozen: bool) -> str:
    text, previous = "stages:\n", ""
    for stage in _STAGES:
        deps = [f"{stage}.py", *([previous] if previous else [])]
        text += f"  {stage}:\n    cmd: python {stage}.py > {stage}.txt\n    deps:\n"
        text += "".join(f"    - {each}\n" for each in deps)
        text += "    - frozen.txt\n" if is_frozen else ""
        text += f"    outs:\n    - {stage}.txt\n"
        previous = f"{stage}.txt"
    return text + (_FREEZE_STAGE if is_frozen else "")


def _snakefile(kind: str) -> str:
    head = {
        WITH: "import envstage\n\ninclude: envstage.snakefile()\n\n",
        FREEZE: _FREEZE_RULE,
        WITHOUT: "",
    }[kind]
    text, previous = head + _RULES, ""
    for stage in _STAGES:
        inputs = [f"{stage}.py", *([previous] if previous else [])]
        inputs += ["environment/views/train.json"] if kind == WITH else []
        names = ", ".join(f'"{each}"' for each in inputs)
        params = "    params: frozen=frozen\n" if kind == FREEZE else ""
        text += f'rule {stage}:\n    input: {names}\n    output: "{stage}.txt"\n{params}'
        text += f'    shell: "python {stage}.py > {{output}}"\n\n'
        previous = f"{stage}.txt"
    return text


def _repository(environment: Environment, name: str) -> Path:
    root = environment.folder / name.replace(" ", "-")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    run("git", "init", "-q", "-b", "main", cwd=root)
    for stage in _STAGES:
        (root / f"{stage}.py").write_text(f"print('{stage}')\n")
    return root


def _call(environment: Environment, root: Path, program: str, *words: str) -> None:
    run(str(environment.bin / program), *words, cwd=root, environ=environment.environ)
