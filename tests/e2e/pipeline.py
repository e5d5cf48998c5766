"""A real pipeline in a real repository: Git, DVC, a virtual environment, small wheels."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.wheels import Venv, build_wheel

DVC = str(Path(sys.executable).parent / "dvc")
TRAIN = """\
import pathlib
import alpha
pathlib.Path("model.txt").write_text(f"alpha {alpha.version}\\n")
"""
DVC_YAML = """\
stages:
  train:
    cmd: python train.py  # the model
    deps:
    - train.py
    outs:
    - model.txt
"""

# One script for a stage in two variants, each of which imports another package.
FOREACH_YAML = """\
stages:
  train:
    foreach: [alpha, beta]
    do:
      cmd: python train.py ${item}
      deps: [train.py]
      outs: ["${item}.txt"]
"""
FOREACH_TRAIN = """\
import importlib, pathlib, sys
module = importlib.import_module(sys.argv[1])
pathlib.Path(sys.argv[1] + ".txt").write_text(module.version)
"""


class Pipeline:
    """A repository with one environment; `run` calls programs as a user's shell would."""

    def __init__(self, base: Path, *, name: str = "repo", venv: Venv | None = None) -> None:
        self.base = base
        self.root = base / name
        self.wheelhouse = base / "wheelhouse"
        self.wheelhouse.mkdir(exist_ok=True)
        self.venv = venv or Venv(base / "venv")
        self.tools = base / "tools"
        self.environ: dict[str, str] = {}
        self._link_tools()

    def _link_tools(self) -> None:
        # envstage and dvc live in an environment of their own, as a tool installer puts them.
        self.tools.mkdir(exist_ok=True)
        envstage = self.tools / "envstage"
        if not envstage.exists():
            envstage.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m envstage "$@"\n')
            envstage.chmod(0o755)
            (self.tools / "dvc").symlink_to(DVC)

    def create(self, dvc_yaml: str = DVC_YAML, **files: str) -> "Pipeline":
        """A new Git and DVC repository with a pipeline, committed."""
        self.root.mkdir()
        self.write("dvc.yaml", dvc_yaml)
        for name, text in ({"train.py": TRAIN} | files).items():
            self.write(name, text)
        self.run("git", "init", "-q", "-b", "main")
        self.run("dvc", "init", "-q")
        self.run("dvc", "config", "core.analytics", "false")
        self.commit("start")
        return self

    def install(self, name: str, version: str, **options: object) -> None:
        """Build a wheel and install it into the environment."""
        self.venv.install(build_wheel(self.wheelhouse, name, version, **options))  # type: ignore[arg-type]

    def track(self, *stages: str, options: str = "") -> None:
        """`envstage init dvc` and `envstage track`."""
        self.run("envstage", "init", "dvc", "--yes")
        self.run("envstage", "track", "--yes", *options.split(), *stages)
        self.commit("the environment is a stage")

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", message)

    def copy_to(self, base: Path) -> "Pipeline":
        """The same, environment and all, at another place: faster than to make it again."""
        shutil.copytree(self.base, base, symlinks=True, dirs_exist_ok=True)
        # `find_links` and the interpreter of a virtual environment are found by PATH or name.
        other = Pipeline(base, name=self.root.name, venv=Venv.at(base / self.venv.folder.name))
        other.environ = dict(self.environ)
        return other

    def clone(self, name: str, *, venv: Venv | None = None) -> "Pipeline":
        """Another clone at another path."""
        other = Pipeline(self.base, name=name, venv=venv or self.venv)
        other.environ = dict(self.environ)
        self.run("git", "clone", "-q", str(self.root), str(other.root))
        return other

    def variables(self, **changes: str) -> dict[str, str]:
        environ = dict(os.environ) | self.environ | changes
        environ["PATH"] = os.pathsep.join(
            [str(self.venv.bin), str(self.tools), "/usr/local/bin", "/usr/bin", "/bin"]
        )
        return environ

    def run(
        self,
        *command: str,
        code: int | None = 0,
        cwd: str = ".",
        umask: int = -1,
        **environ: str,
    ) -> str:
        """Run a program in a folder of the repository; its output, both streams."""
        variables = self.variables(**environ)
        program = shutil.which(command[0], path=variables["PATH"])
        assert program, f"{command[0]} is not there"
        done = subprocess.run(
            [program, *command[1:]],
            cwd=self.root / cwd,
            env=variables,
            umask=umask,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if code is not None and done.returncode != code:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}")
        return done.stdout

    def repro(self, *options: str, code: int | None = 0, umask: int = -1, **environ: str) -> str:
        return self.run("dvc", "repro", *options, code=code, umask=umask, **environ)

    def ran(self, output: str) -> set[str]:
        """The stages that a repro ran."""
        marker = "Running stage '"
        return {
            line.partition(marker)[2].partition("'")[0]
            for line in output.splitlines()
            if line.startswith(marker)
        }

    def status(self) -> str:
        return self.run("git", "status", "--porcelain")

    def files(self) -> dict[str, bytes]:
        """Every file that Git tracks, by path."""
        names = self.run("git", "ls-files", "-z").split("\0")
        return {name: (self.root / name).read_bytes() for name in names if name}

    def lock(self) -> dict[str, object]:
        return dict(yaml.safe_load(self.read("dvc.lock")))
