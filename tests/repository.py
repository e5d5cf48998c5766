"""A repository with one view and no pipeline engine: what a capture needs, made in a moment."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.pipeline import Pipeline
from tests.wheels import Venv

SNAPSHOT = "environment/environment.json"
VIEW = "environment/views/train.json"


class Repository(Pipeline):
    """`capture` is called as a user calls it; its own files are what is looked at."""

    @classmethod
    def at(
        cls,
        base: Path,
        configuration: str = "views:\n  train: {}\n",
        *,
        venv: Venv | None = None,
    ) -> "Repository":
        """A new one, committed."""
        self = cls(base, venv=venv)
        self.root.mkdir()
        self.write("envstage.yaml", configuration)
        self.run("git", "init", "-q", "-b", "main")
        self.commit("start")
        return self

    def clone_of(self, kept: Path) -> None:
        """Begin anew, from a copy of the repository's folder."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(kept, self.root, symlinks=True)

    def capture(self, *options: str, code: int | None = 0, **environ: str) -> str:
        """What `envstage capture` says, on both streams; never a traceback."""
        said = self.run("envstage", "capture", *options, code=code, cwd=".", umask=-1, **environ)
        assert "Traceback" not in said
        return said

    def start(self, **environ: str) -> "subprocess.Popen[bytes]":
        """`envstage capture` under way; nobody listens to it."""
        variables = self.variables(**environ)
        program = shutil.which("envstage", path=variables["PATH"])
        assert program
        return subprocess.Popen(
            [program, "capture"],
            cwd=self.root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def outputs(self) -> dict[str, bytes]:
        """Every file below `environment/`, but the context, which is new every time."""
        folder = self.root / "environment"
        found: dict[str, bytes] = {}
        for path in sorted(folder.rglob("*")) if folder.exists() else []:
            if path.is_file() and path.name != "context.json":
                try:
                    found[str(path.relative_to(folder))] = path.read_bytes()
                except FileNotFoundError:
                    # A writer's temporary file got its name just now; nothing else may go.
                    assert path.suffix == ".tmp", path
        return found

    def context_bytes(self) -> bytes:
        return (self.root / "environment" / "context.json").read_bytes()

    def context(self) -> dict[str, Any]:
        context: dict[str, Any] = json.loads(self.context_bytes())
        return context

    def facts(self, path: str = SNAPSHOT) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.read(path))["facts"]
        return facts

    def versions(self, path: str = SNAPSHOT) -> dict[str, str]:
        return {name: each["version"] for name, each in self.facts(path)["packages"].items()}


def one_line(said: str) -> str:
    """The one line that an error is."""
    lines = said.splitlines()
    assert len(lines) == 1, said
    return lines[0]


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def place(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
