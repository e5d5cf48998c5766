"""A small project with its own interpreter, captured in this process without waiting."""

import contextlib
import io
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from envstage import interpreter
from envstage.capture.assemble import Projectors
from envstage.capture.collect import collect
from envstage.capture.tracing import views_are_current
from envstage.cli import main
from envstage.project import open_project
from envstage.trace import questions, verify
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.archive import Archived
from envstage.views.prediction import input_digest
from envstage.views.selection import Selection
from envstage.world import Machine
from tests.wheels import Venv, build_wheel

# The clock of the disk moves in steps of some milliseconds.
TICK_S = 0.02


class Answer(NamedTuple):
    """What a capture said, and what the files that it writes are then; the context left out."""

    code: int
    out: str
    err: str
    files: dict[str, bytes]


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

    def answer(self) -> Answer:
        """`envstage capture`, and what came of it."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self.capture()
        return Answer(code, out.getvalue(), err.getvalue(), self.files())

    def answer_anew(self) -> Answer:
        """The same, by a capture that remembers nothing but the runs that there were."""
        with without_caches(self.root):
            return self.answer()

    def files(self) -> dict[str, bytes]:
        """Every file below `environment/`, but the context, which is new every time."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted((self.root / "environment").rglob("*"))
            if path.is_file() and path.name != "context.json"
        }

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

    def finalise(self, selection: Selection, inputs: Iterable[str] = ()) -> None:
        """Leave what a run that used this leaves: the view `train`, and the archive's entry."""
        project = open_project(str(self.root))
        world = Machine()
        capture = collect(world, project.root, project.config, project.config.environment("main"))
        projectors = Projectors(world, project.root, capture)
        view = projectors.project(project.config.view("train"), selection).document
        self.write("environment/views/train.json", view_document.encode(view).decode())
        digests = {name: input_digest(str(self.root / name)) for name in inputs}
        archive.add(project.state, "main", "train", Archived(view=view, inputs=digests))

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.root), *words], check=True, capture_output=True)

    def install(self, name: str, version: str) -> None:
        self.venv.install(build_wheel(self.wheelhouse, name, version))


@contextlib.contextmanager
def without_caches(root: Path) -> Iterator[None]:
    """The user's cache and that of the project forgotten; neither trace nor digest helps."""
    before = os.environ.get("ENVSTAGE_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        kept = []
        for path in (root / ".envstage").glob("*.json"):
            if path.name != "workflow.json":  # the configuration of a workflow, no cache
                kept.append((path, shutil.move(path, folder)))
        os.environ["ENVSTAGE_CACHE"] = os.path.join(folder, "cache")
        try:
            yield
        finally:
            for path, moved in kept:
                path.parent.mkdir(exist_ok=True)
                shutil.move(moved, path)
            if before is None:
                del os.environ["ENVSTAGE_CACHE"]
            else:
                os.environ["ENVSTAGE_CACHE"] = before


def edit_in_place(path: Path, old: str, new: str) -> None:
    """The same size, inode and modification time: only the entry's own time tells."""
    before = path.stat()
    assert len(old) == len(new)
    with path.open("r+b") as file:
        text = file.read()
        assert old.encode() in text, text
        file.seek(0)
        file.write(text.replace(old.encode(), new.encode()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


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
