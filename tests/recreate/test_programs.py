"""uv, pip and conda are found where they are, and only where they start."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from envstage.cli import check_command, export_command
from envstage.recreate import programs
from envstage.recreate.installer import Installer
from envstage.world import Machine
from tests.recreate.projects import Project
from tests.wheels import UV, Venv, build_wheel


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_shim_that_stands_for_nothing_is_no_uv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setitem(sys.modules, "uv", None)
    shim = executable(
        tmp_path / "shims" / "uv", "echo 'pyenv: uv: command not found' >&2; exit 127"
    )
    world = Machine({"PATH": str(shim.parent)})
    assert programs.find_uv(world) is None
    real = executable(tmp_path / "bin" / "uv", "echo uv 0.9")
    assert programs.find_uv(world) == str(real)


def test_uv_of_the_package_counts_where_neither_path_nor_scripts_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = pytest.importorskip("uv")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(uv, "find_uv_bin", lambda: UV)
    assert programs.find_uv(Machine({"PATH": ""})) == UV


@pytest.mark.e2e
def test_pip_that_the_standard_library_carries_installs(
    tmp_path: Path, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Venv(tmp_path / "alone")  # without pip, and so is nothing on PATH
    monkeypatch.setattr(sys, "executable", str(alone.python))
    world = Machine({"PATH": ""})
    pip = programs.find_pip(world)
    if pip is None:
        pytest.skip("this Python carries no pip")
    assert pip[0] == str(alone.python)
    assert pip[1].endswith("pip")
    build_wheel(wheelhouse, "one", "1.0")
    target = Venv(tmp_path / "target")
    options = ("--no-index", "--find-links", str(wheelhouse))
    done = Installer(pip=pip).install(
        str(target.python), ("one",), lambda line: None, options=options
    )
    assert done.returncode == 0, done.text
    assert (target.site / "one").is_dir()


@pytest.mark.parametrize(
    ("answer", "is_taken"), [("pip 20.0.2 from x", False), ("pip 22.3 f", True)]
)
def test_an_old_pip_cannot_install_into_other_environments(
    answer: str, is_taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = executable(tmp_path / "python", f"echo '{answer}'")
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(programs, "_bundled", lambda world: iter(()))
    found = programs.find_pip(Machine({"PATH": ""}))
    assert found == ((str(python), "-m", "pip") if is_taken else None)


def test_condas_are_found_on_path_and_by_their_variables(tmp_path: Path) -> None:
    conda = executable(tmp_path / "elsewhere" / "conda", "echo conda 24.1")
    world = Machine({"PATH": "", "CONDA_EXE": str(conda)})
    assert programs.find_conda(world) == str(conda)
    micromamba = executable(tmp_path / "bin" / "micromamba", "echo 2.0")
    world = Machine({"PATH": str(micromamba.parent), "CONDA_EXE": str(conda)})
    assert programs.find_conda(world) == str(micromamba)
    assert programs.find_conda(Machine({"PATH": ""})) is None


@pytest.mark.e2e
def test_check_names_what_can_install_where_the_environment_has_no_pip(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    project.venv.uninstall("one")
    monkeypatch.setattr(check_command, "find_uv", lambda world: None)
    code, out, _ = project.run("check", "--fix")
    assert code == 1
    line = out.strip().splitlines()[-1]
    assert line.startswith(f"{sys.executable} -m pip --python {project.venv.python} install")
    words = [*shlex.split(line), "--no-index", "--find-links", str(wheelhouse)]
    subprocess.run(words, check=True, capture_output=True)
    assert project.run("check")[0] == 0
    monkeypatch.setattr(check_command, "find_pip", lambda world: None)
    project.venv.uninstall("one")
    assert "neither uv nor pip is here: install uv first" in project.run("check", "--fix")[1]


@pytest.mark.e2e
def test_exports_name_uv_where_it_is_missing(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    monkeypatch.setattr(export_command, "find_uv", lambda world: None)
    code, out, err = project.run("export", "requirements", "--hashes")
    assert (code, out) == (2, "")
    assert "uv is not installed, and it is what asks the indexes" in err
