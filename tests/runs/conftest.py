"""One project for all programs, and the two ways to start them."""

from pathlib import Path

import pytest

from tests.runs.launched import GUARD, Launcher, make_project


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HOME for the whole session: the capture's cache lies there."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def stable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same variables for every test, so that one captured view holds for all."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))


@pytest.fixture(scope="session")
def made() -> dict[str, Path]:
    """The project, once it is made."""
    return {}


@pytest.fixture
def project(made: dict[str, Path], stable: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a view and programs."""
    if "project" not in made:
        made["project"] = make_project(tmp_path_factory.mktemp("project"))
    return made["project"]


@pytest.fixture
def bare(project: Path) -> Launcher:
    """Start programs as they are."""
    return Launcher(project)


@pytest.fixture
def guarded(project: Path) -> Launcher:
    """Start programs under the guard."""
    return Launcher(project, GUARD)


@pytest.fixture(params=["bare", "guarded"])
def either(request: pytest.FixtureRequest) -> Launcher:
    """Both, one after the other: what holds for one must hold for the other."""
    launcher: Launcher = request.getfixturevalue(request.param)
    return launcher
