"""`--system-site-packages`: what lies outside the environment belongs to it too (case 38)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recreate.projects import Project
from tests.wheels import UV, Venv, build_wheel

pytestmark = pytest.mark.e2e


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """An interpreter with packages of its own: this one's, with other site-packages."""
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    root, library = tmp_path / "base", Path(sys.base_prefix) / "lib" / minor
    (root / "bin").mkdir(parents=True)
    (root / "lib" / minor / "site-packages").mkdir(parents=True)
    shutil.copy(Path(os.path.realpath(sys.executable)), root / "bin" / minor)
    for each in library.iterdir():
        if each.name not in ("site-packages", "dist-packages"):
            (root / "lib" / minor / each.name).symlink_to(each)
    ask = "import sys, site; print(sys.prefix, *site.getsitepackages())"
    argv = [str(root / "bin" / minor), "-I", "-c", ask]
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode or str(root / "lib" / minor / "site-packages") not in done.stdout.split():
        pytest.skip("this Python cannot be set up elsewhere")
    return root / "bin" / minor


def install_into(folder: Path, *wheels: Path) -> None:
    argv = [UV, "pip", "install", "-q", "--offline", "--no-index", "--no-deps", "--target"]
    places = [word for each in wheels for word in ("--find-links", str(each.parent))]
    pins = ["==".join(each.name.split("-")[:2]) for each in wheels]
    subprocess.run([*argv, str(folder), *places, *pins], check=True)


def test_all_distributions_are_seen_and_come_back(
    project: Project, base: Path, wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = base.parent.parent / "lib" / base.name / "site-packages"
    many = [build_wheel(wheelhouse, f"system-{index}", "1.0") for index in range(20)]
    install_into(site, *many, build_wheel(wheelhouse, "both", "1.0"))
    user = tmp_path / "user"
    install_into(
        user / "lib" / base.name / "site-packages", build_wheel(wheelhouse, "of-user", "1.0")
    )
    monkeypatch.setenv("PYTHONUSERBASE", str(user))
    shutil.rmtree(project.root / ".venv")
    venv = Venv(project.root / ".venv", python=str(base), options="--system-site-packages")
    venv.install(build_wheel(wheelhouse, "own", "1.0"), build_wheel(wheelhouse, "both", "2.0"))
    packages = project.capture()
    assert len(packages) == 23
    assert packages["both"]["version"] == "2.0"
    context = json.loads((project.root / "environment" / "context.json").read_text())
    located = {name: facts["location"] for name, facts in context["facts"]["packages"].items()}
    assert located["own"] == located["both"] == "environment"
    assert located["system-7"] == "base interpreter"
    assert located["of-user"] == "user"
    # Frozen by uv, the environment has two.
    argv = [UV, "pip", "freeze", "--python", str(venv.python)]
    frozen = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert frozen == ["both==2.0", "own==1.0"]
    # Rebuilt, all of them are in the environment itself.
    target = tmp_path / "again"
    code, out, err = project.run(
        *("recreate", "--find-links", str(wheelhouse), "--to", str(target))
    )
    assert code == 0, out + err
    assert "23 of 23 packages as they were" in out
    rebuilt = Venv.at(target)
    assert len(list(rebuilt.site.glob("*.dist-info"))) == 23


def test_what_no_index_has_of_the_system_is_named_and_the_rest_can_be_kept(
    project: Project, base: Path, wheelhouse: Path, tmp_path: Path
) -> None:
    site = base.parent.parent / "lib" / base.name / "site-packages"
    (site / "of_debian-1.0.egg-info").write_text(
        "Metadata-Version: 1.1\nName: of-debian\nVersion: 1.0\n"
    )
    shutil.rmtree(project.root / ".venv")
    venv = Venv(project.root / ".venv", python=str(base), options="--system-site-packages")
    venv.install(build_wheel(wheelhouse, "own", "1.0"))
    project.capture()
    words = ("recreate", "--find-links", str(wheelhouse))
    code, _, err = project.run(*words)
    assert code == 3
    assert "of-debian: no index that is known here serves this version" in err
    assert project.built == []
    code, out, err = project.run(*words, "--keep")
    assert code == 1
    assert "going on without of-debian" in err
    assert "1 of 2 packages as they were; kept in" in out
    assert "of-debian: no index that is known here serves this version" in out
