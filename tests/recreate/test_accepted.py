"""Exported files go into uv and pip, from a real index on this machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.recreate.projects import Project, index_of, served
from tests.wheels import UV, Venv, build_wheel

pytestmark = pytest.mark.e2e


def installed(venv: Venv) -> list[str]:
    argv = [UV, "pip", "freeze", "--python", str(venv.python)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_pylock_and_requirements_install(
    project: Project, wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = [build_wheel(wheelhouse, name, "1.0") for name in ("one", "two")]
    project.venv.install(*wheels)
    project.capture()
    lock, hashed, plain = (tmp_path / name for name in ("pylock.toml", "hashed.txt", "plain.txt"))
    with served(index_of(*wheels)) as url:
        monkeypatch.setenv("UV_DEFAULT_INDEX", url)
        monkeypatch.setenv("PIP_INDEX_URL", url)
        for words in (
            ("pylock", "-o", str(lock)),
            ("requirements", "--hashes", "-o", str(hashed)),
            ("requirements", "-o", str(plain)),
        ):
            code, _, err = project.run("export", *words)
            assert code == 0, err
        assert hashed.read_text().count("--hash=sha256:") == 2
        calls = {
            "uv-lock": [UV, "pip", "sync", "--preview", "-q", str(lock), "--python"],
            "uv-hashed": [UV, "pip", "install", "-q", "--require-hashes", "-r", str(hashed)],
            "uv-plain": [UV, "pip", "install", "-q", "--no-deps", "-r", str(plain)],
            "pip-plain": [sys.executable, "-m", "pip", "--python"],
            "pip-hashed": [sys.executable, "-m", "pip", "--python"],
            "pip-lock": [sys.executable, "-m", "pip", "--python"],
        }
        for name, argv in calls.items():
            venv = Venv(tmp_path / name)
            if name in ("uv-hashed", "uv-plain"):
                argv = [*argv, "--python"]
            argv = [*argv, str(venv.python)]
            if name.startswith("pip"):
                file = {"pip-hashed": hashed, "pip-plain": plain, "pip-lock": lock}[name]
                options = ["--require-hashes"] if name == "pip-hashed" else []
                argv = [*argv, "install", "-q", "--no-deps", *options, "-r", str(file)]
            done = subprocess.run(argv, capture_output=True, text=True)
            assert done.returncode == 0, (name, done.stderr)
            assert installed(venv) == ["one==1.0", "two==1.0"], name


@pytest.mark.hard_case(31)
def test_export_names_what_no_index_serves(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.venv.install(build_wheel(wheelhouse, "private-thing", "1.0"))
    project.capture()
    code, out, err = project.run("export", "requirements", "--hashes")
    assert (code, out) == (3, "")
    assert "envstage: private-thing: no index that is known here serves this version" in err


def test_export_of_a_revision_and_of_a_view(project: Project, wheelhouse: Path) -> None:
    from tests.recreate.projects import committed

    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    committed(project.root)
    project.venv.install(build_wheel(wheelhouse, "one", "2.0"))
    project.capture()
    assert "one==1.0" in project.run("export", "requirements", "HEAD")[1]
    assert "one==2.0" in project.run("export", "requirements")[1]
    view = str(project.root / "environment" / "views" / "train.json")
    code, _, err = project.run("export", "requirements", view)
    assert code == 2
    assert "is a view" in err
    requirements = str(project.root / "environment" / "requirements.txt")
    assert "is a pip freeze, and this needs a whole" in project.run("recreate", requirements)[2]
