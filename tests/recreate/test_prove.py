"""Proof from committed files, in a clean folder."""

import json
import os
from pathlib import Path

import pytest

from tests.recreate.projects import Project, committed, git
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e


def test_committed_environment_is_proven(
    project: Project, wheelhouse: Path, tmp_path: Path
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    committed(project.root)
    report = tmp_path / "report"
    words = ("recreate", "--prove", "--offline", "--find-links", str(wheelhouse))
    code, out, err = project.run(*words, "--report", str(report))
    assert code == 0, out + err
    assert "| train | yes |" in out
    document = json.loads((report / "prove.json").read_text())
    assert document["proven"] is True
    assert document["revision"] == git(project.root, "rev-parse", "HEAD")
    assert document["scores"]["builds"] == {"same": 1, "total": 1}
    assert "home" not in (report / "prove.md").read_text().replace("HOME", "").lower()


def test_namesake_disproves_it_and_what_is_not_committed_does_not_count(
    project: Project, wheelhouse: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    public.mkdir()
    build_wheel(public, "one", "1.0", files={"one.py": "public = 1\n"})
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    committed(project.root)
    project.venv.install(build_wheel(wheelhouse, "two", "1.0"))
    project.capture()
    code, out, err = project.run("recreate", "--prove", "--offline", "--find-links", str(public))
    assert code == 1, out + err
    assert "packages.one.build" in out
    assert "two" not in out
    code, _, err = project.run("recreate", "--prove", "--find-links", str(tmp_path / "nowhere"))
    assert code == 2
    assert "there is no such folder" in err
    code, _, err = project.run("recreate", "--prove", "--offline")
    assert code == 3
    assert "envstage: one: offline, and it is not in the cache" in err


def test_what_only_this_home_knows_does_not_count(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    committed(project.root)
    monkeypatch.delenv("PIP_CONFIG_FILE")
    settings = Path(os.environ["HOME"]) / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[global]\nfind-links = {wheelhouse}\n")
    code, out, err = project.run("recreate", "--offline")
    assert code == 0, out + err
    code, _, err = project.run("recreate", "--prove", "--offline")
    assert code == 3
    assert "envstage: one: offline, and it is not in the cache" in err


def test_nothing_committed_is_an_error(project: Project, wheelhouse: Path) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    code, _, err = project.run("recreate", "--prove")
    assert code == 2
    assert "git says" in err
    committed(project.root)
    code, _, err = project.run("recreate", "--prove")
    assert code == 3
    assert "nothing to prove" in err


def test_container_commands_are_text(project: Project, wheelhouse: Path) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    committed(project.root)
    code, out, _ = project.run("recreate", "HEAD", "--prove", "--container")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "envstage export dockerfile HEAD -o Dockerfile.envstage"
    assert lines[1].startswith("docker build --file Dockerfile.envstage --tag envstage-e-")
    assert lines[2].startswith("docker run --rm ")
