"""A small project with its own interpreter, captured in this process without waiting."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from envstage import interpreter
from envstage.capture.tracing import views_are_current
from envstage.cli import main
from envstage.project import open_project
from envstage.trace import questions, verify
from envstage.world import Machine
from tests.wheels import Venv, build_wheel

# The clock of the disk moves in steps of some milliseconds.
TICK_S = 0.02


class Traced:
    """A project, its folder, and the environment that its stages run in."""

    def __init__(self, root: Path, venv: Venv, wheelhouse: Path) -> None:
        self.root = root
        self.venv = venv
        self.wheelhouse = wheelhouse

    def capture(self) -> int:
        """`envstage capture`, in this process."""
        code = main(["capture"])
        time.sleep(TICK_S)
        return code

    def settle(self) -> None:
        """Capture until a trace is kept, which the next capture only has to verify."""
        time.sleep(TICK_S)
        self.capture()
        self.capture()
        assert self.is_unchanged(), "nothing changed, and the trace does not hold"

    def is_unchanged(self) -> bool:
        """Whether `envstage capture` would have nothing to do, by the trace."""
        return verify.unchanged(str(self.root), os.environ) is not None

    def has_current_views(self) -> bool:
        """Whether the trace vouches for the views."""
        return views_are_current(Machine(), open_project(str(self.root)), "main")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.root), *words], check=True, capture_output=True)

    def install(self, name: str, version: str) -> None:
        self.venv.install(build_wheel(self.wheelhouse, name, version))


@pytest.fixture
def project(tmp_path: Path, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch) -> Traced:
    """Captured twice; files count as settled at once."""
    monkeypatch.setattr(questions, "SETTLED_NS", 0)
    monkeypatch.setattr(interpreter, "SETTLED_NS", 0)
    venv = Venv(tmp_path / "venv")
    monkeypatch.setenv("PATH", f"{venv.bin}{os.pathsep}{os.environ['PATH']}")
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    found = Traced(root, venv, wheelhouse)
    found.install("alpha", "1.0")
    venv.install_direct(build_wheel(wheelhouse, "gamma", "1.0"))
    found.write("envstage.yaml", "views:\n  train: {}\n")
    found.write("train.py", "import alpha\n")
    found.git("init", "-q", "-b", "main")
    found.git("add", "-A")
    found.git("commit", "-qm", "start")
    found.settle()
    return found
