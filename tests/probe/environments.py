"""Real environments of every kind that packages get into, each with the variables it takes."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.sources import commit_all, source_project
from tests.wheels import Venv, build_wheel

DEBIAN = "/usr/bin/python3"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter and the variables under which it is an environment.

    Attributes:
        names: packages that have to be there, whatever else is.
    """

    python: str
    names: tuple[str, ...]
    environ: dict[str, str] = {}


Maker = Callable[[Path, str], Made]


def by_uv(base: Path, python: str) -> Made:
    venv = Venv(base / "venv", python=python)
    venv.install(*wheels(base))
    return Made(python=str(venv.python), names=("plain", "foo-bar-baz"))


def by_pip(base: Path, python: str) -> Made:
    """`python -m venv`, with the pip that it brings."""
    quiet(python, "-m", "venv", str(base / "venv"))
    venv = Venv.at(base / "venv")
    install = ("-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check")
    quiet(str(venv.python), *install, *map(str, wheels(base)))
    return Made(python=str(venv.python), names=("plain", "foo-bar-baz", "pip"))


def with_system_packages(base: Path, python: str) -> Made:
    venv = Venv(base / "venv", python=python, options="--system-site-packages")
    venv.install(*wheels(base))
    return Made(python=str(venv.python), names=("plain",))


def by_virtualenv(base: Path, python: str) -> Made:
    # Its own pip may be too new for the interpreter.
    virtualenv = (sys.executable, "-m", "virtualenv", "-q", "--no-seed", "--python", python)
    quiet(*virtualenv, str(base / "venv"))
    venv = Venv.at(base / "venv")
    venv.install(*wheels(base))
    return Made(python=str(venv.python), names=("plain", "foo-bar-baz"))


def of_the_user(base: Path, python: str) -> Made:
    """`pip install --user`, in a home of its own."""
    environ = {"PYTHONUSERBASE": str(base / "user"), "PIP_BREAK_SYSTEM_PACKAGES": "1"}
    real = subprocess.run(
        [python, "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True
    )
    own = next(Path(real.stdout.strip()).glob("bin/python3"), Path(python))
    if subprocess.run([str(own), "-m", "pip", "-V"], capture_output=True).returncode:
        pytest.skip(f"{own} has no pip")
    quiet(
        *(str(own), "-m", "pip", "install", "-q", "--user", "--no-index", "--no-deps"),
        *("--disable-pip-version-check", "--no-warn-script-location", *map(str, wheels(base))),
        **environ,
    )
    return Made(python=str(own), names=("plain", "foo-bar-baz"), environ=environ)


def editable(base: Path, python: str) -> Made:
    """PEP 660, as uv leaves it."""
    venv = Venv(base / "venv", python=python)
    venv.install_direct("-e", source_project(base / "project", "mine", "0.3"))
    return Made(python=str(venv.python), names=("mine",))


def egg_link(base: Path, python: str) -> Made:
    """`setup.py develop`: an egg-link, a .pth file, an egg-info in the checkout."""
    venv = Venv(base / "venv", python=python)
    checkout = base / "legacy"
    about = "Metadata-Version: 1.2\nName: Legacy_Lib\nVersion: 0.9.dev1\n"
    put(checkout / "Legacy_Lib.egg-info" / "PKG-INFO", about)
    put(checkout / "setup.py", "from setuptools import setup; setup()\n")
    put(site(venv) / "Legacy-Lib.egg-link", f"{checkout}\n.")
    put(site(venv) / "easy-install.pth", f"{checkout}\n")
    return Made(python=str(venv.python), names=("legacy-lib",))


def from_git(base: Path, python: str) -> Made:
    project = source_project(base / "project", "versioned", "1.4")
    commit = commit_all(project)
    venv = Venv(base / "venv", python=python)
    venv.install_direct(f"git+file://{project}@{commit}")
    return Made(python=str(venv.python), names=("versioned",))


def zipped_egg(base: Path, python: str) -> Made:
    venv = Venv(base / "venv", python=python)
    egg = site(venv) / "zipped-0.2-py3.egg"
    with zipfile.ZipFile(egg, "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", "Metadata-Version: 1.1\nName: zipped\nVersion: 0.2\n")
        archive.writestr("zipped.py", "")
    folder = site(venv) / "unzipped-0.4-py3.egg"
    put(folder / "EGG-INFO" / "PKG-INFO", "Metadata-Version: 1.1\nName: unzipped\nVersion: 0.4\n")
    put(site(venv) / "easy-install.pth", f"./{egg.name}\n./{folder.name}\n")
    return Made(python=str(venv.python), names=("zipped", "unzipped"))


def debian(base: Path, python: str) -> Made:
    """The system's own Python, with what lies in its dist-packages."""
    del base, python
    if not Path("/etc/debian_version").exists() or not Path(DEBIAN).exists():
        pytest.skip("this is no Debian with a Python of its own")
    return Made(python=DEBIAN, names=())


def conda_layout(base: Path, python: str) -> Made:
    """What conda leaves: records in conda-meta, INSTALLER, and egg-info of older packages."""
    venv = Venv(base / "venv", python=python)
    venv.install(*wheels(base))
    put(site(venv) / "plain-1.0.dist-info" / "INSTALLER", "conda\n")
    put(venv.folder / "conda-meta" / "history", "")
    record = '{"name": "plain", "version": "1.0", "build": "py_0", "files": []}'
    put(venv.folder / "conda-meta" / "plain-1.0-py_0.json", record)
    about = "Metadata-Version: 2.1\nName: old-one\nVersion: 2.4\n"
    put(site(venv) / "old_one-2.4-py3.11.egg-info" / "PKG-INFO", about)
    put(site(venv) / "older-0.1-py3.11.egg-info", about.replace("old-one", "older"))
    return Made(python=str(venv.python), names=("plain", "old-one", "older"))


def into_a_target(base: Path, python: str) -> Made:
    """`pip install --target`, found through PYTHONPATH, before the same package elsewhere."""
    venv = Venv(base / "venv", python=python)
    venv.install(*wheels(base))
    newer = build_wheel(base / "wheelhouse", "plain", "3.0")
    target = base / "target"
    quiet(
        *(sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"),
        *("--disable-pip-version-check", "--target", str(target), str(newer)),
    )
    environ = {"PYTHONPATH": str(target)}
    return Made(python=str(venv.python), names=("plain", "foo-bar-baz"), environ=environ)


def by_pth_files(base: Path, python: str) -> Made:
    """Folders of another environment, behind the own ones: the first of each name counts."""
    venv, other = Venv(base / "venv", python=python), Venv(base / "other", python=python)
    venv.install(*wheels(base))
    folder = base / "wheelhouse"
    other.install(build_wheel(folder, "plain", "9.0"), build_wheel(folder, "linked", "2.0"))
    put(site(venv) / "more.pth", f"# a comment\n{site(other)}\n/nowhere\nimport os\n")
    return Made(python=str(venv.python), names=("plain", "linked"))


ENVIRONMENTS: tuple[Maker, ...] = (
    by_uv,
    by_pip,
    with_system_packages,
    by_virtualenv,
    of_the_user,
    editable,
    egg_link,
    from_git,
    zipped_egg,
    debian,
    conda_layout,
    into_a_target,
    by_pth_files,
)


def wheels(base: Path) -> tuple[Path, Path]:
    folder = base / "wheelhouse"
    folder.mkdir(exist_ok=True)
    return build_wheel(folder, "plain", "1.0"), build_wheel(folder, "Foo_Bar.baz", "2.0rc1")


def site(venv: Venv) -> Path:
    """Its site-packages, of whichever interpreter."""
    return next(venv.folder.glob("lib/python*/site-packages"))


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def quiet(*command: str, **environ: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environ}, check=False
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
