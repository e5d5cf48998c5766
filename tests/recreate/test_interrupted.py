"""Signals while an index does not answer, and the rest of the way back, as it is printed."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from envstage.recreate import build
from tests.recreate.projects import Project, committed, git, served
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_that_looks_finished_is_left(
    number: signal.Signals, project: Project, wheelhouse: Path
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    asked, over = threading.Event(), threading.Event()

    def hanging(path: str) -> tuple[int, bytes]:
        asked.set()
        over.wait(60)
        return 404, b""

    with served(hanging) as url:
        argv = [sys.executable, "-m", "envstage", "recreate", "-C", str(project.root), "--index"]
        process = subprocess.Popen([*argv, url], stderr=subprocess.PIPE, text=True)
        assert asked.wait(60)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        over.set()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert err.splitlines()[-1] == "envstage: interrupted; nothing is half-written."
        assert project.built == []
    else:
        [left] = project.built
        assert (left / build.MARKER).is_file()


def test_rest_of_the_way_to_that_commits_run(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    (project.root / "dvc.yaml").write_text("stages: {}\n")
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    commit = committed(project.root)
    project.venv.install(build_wheel(wheelhouse, "one", "2.0"))
    project.capture()
    committed(project.root)
    git(project.root, "tag", "then", commit)
    monkeypatch.delenv("PYTHONHASHSEED")
    code, out, err = project.run("recreate", "then", "--find-links", str(wheelhouse))
    assert code == 0, out + err
    [folder] = project.built
    assert out.splitlines()[out.splitlines().index("the rest of the way:") :] == [
        "the rest of the way:",
        f"  . {folder / 'bin' / 'activate'}",
        "  export PYTHONHASHSEED=0",
        "  git checkout then",
        "  envstage --version || pip install envstage",
        "  dvc pull --run-cache",
        "  dvc repro",
    ]
    assert (folder / "lib").exists()
    # A fingerprint is nothing that Git could check out.
    again = ("--to", str(project.root / "again"), "--find-links", str(wheelhouse))
    _, out, _ = project.run("recreate", folder.name, *again)
    assert f"  git checkout {commit[:12]}\n" in out
