"""The second look: nothing that changed is missed, and nothing is captured twice for nothing."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envstage import interpreter
from envstage.capture.mode import Mode
from envstage.capture.write import run as capture
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.project import Project, open_project
from envstage.runs.look import Start, look, look_again
from envstage.runs.policy import REFUSES
from envstage.trace import questions
from envstage.world import Machine
from tests.wheels import Venv, build_wheel

# Longer than a tick of the disk's clock.
TICK_S = 0.05


@pytest.fixture
def project(
    tmp_path: Path, wheelhouse: Path, stable: None, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A captured project with an environment of one package, which passes for an old one."""
    monkeypatch.setattr(questions, "SETTLED_NS", 0)
    monkeypatch.setattr(interpreter, "SETTLED_NS", 0)
    venv = Venv(tmp_path / "venv")
    venv.install(build_wheel(wheelhouse, "alpha", "1.0"))
    root = tmp_path / "project"
    (root / ".envstage").mkdir(parents=True)
    (root / "envstage.yaml").write_text(
        f"environments: {{main: {{python: {venv.python}}}}}\nviews: {{train: {{}}}}\n"
    )
    time.sleep(TICK_S)
    project = open_project(str(root))
    capture(Machine(), project, mode=Mode.CAPTURE, names=(), argv=())
    return project


def looked(project: Project) -> Start:
    return look(Machine(), project, project.config.view("train"), REFUSES)


def looked_again(project: Project, start: Start) -> str:
    """What changed since, in words; empty where the first look still holds."""
    view = project.config.view("train")
    after = look_again(Machine(), project, view, start)
    if after is start.facts:
        return ""
    found = differences(start.facts.project(view, None).facts, after.project(view, None).facts)
    return short(found) or "captured again"


def test_capture_is_kept_as_it_was(project: Project) -> None:
    first, second = looked(project), looked(project)
    assert first.vouching.trace is None
    assert second.vouching.trace is not None
    assert second.facts.capture == first.facts.capture
    assert looked_again(project, first) == ""
    assert looked_again(project, second) == ""


def renamed(info: Path) -> None:
    info.rename(info.with_name("alpha-2.0.dist-info"))


def edited(info: Path) -> None:
    record = info / "RECORD"
    times = record.stat()
    text = record.read_text()
    record.write_text(text.replace("sha256=", "sha256=A"))
    os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))


def joined(info: Path) -> None:
    other = info.with_name("beta-1.0.dist-info")
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: beta\nVersion: 1.0\n")


def removed(info: Path) -> None:
    for path in info.iterdir():
        path.unlink()
    info.rmdir()


def watched(info: Path) -> None:
    del info
    os.environ["PYTHONHASHSEED"] = "7"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (renamed, "packages.alpha"),
        (edited, "packages.alpha other build of the same version"),
        (joined, "packages.beta"),
        (removed, "packages.alpha"),
        (watched, "variables.PYTHONHASHSEED"),
    ],
)
def test_change_meanwhile_is_seen(
    project: Project, change: Callable[[Path], None], expected: str
) -> None:
    looked(project)
    start = looked(project)
    assert start.vouching.trace is not None
    (info,) = (Path(project.root).parent / "venv").glob("lib/*/site-packages/alpha-1.0.dist-info")
    change(info)
    assert looked_again(project, start).startswith(expected)
