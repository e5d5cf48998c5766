"""Pipelines to start from, made once and copied: a copy costs a twentieth of a second."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline

Make = Callable[[str], Pipeline]
Once = Callable[[str, Callable[[Path], Pipeline]], Pipeline]


@pytest.fixture(scope="session")
def made() -> dict[str, Pipeline]:
    """The pipelines that were made already in this process, by name."""
    return {}


@pytest.fixture
def once(
    made: dict[str, Pipeline], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Once:
    """A copy of a pipeline that is made the first time that somebody asks for it."""

    def copied(name: str, build: Callable[[Path], Pipeline]) -> Pipeline:
        if name not in made:
            made[name] = build(tmp_path_factory.mktemp("made"))
        return made[name].copy_to(tmp_path)

    return copied


@pytest.fixture
def make(once: Once) -> Make:
    """Make a tracked pipeline with two packages, alpha (used) and beta (not used), that ran."""

    def copied(options: str) -> Pipeline:
        return once(f"tracked {options}", lambda base: tracked(base, options))

    return copied


def tracked(base: Path, options: str) -> Pipeline:
    """The same, made from nothing."""
    made = Pipeline(base).create()
    made.install("alpha", "1.0")
    made.install("beta", "1.0")
    made.track("train", options=options)
    assert made.ran(made.repro()) == {"environment", "train"}
    made.repro()  # the environment stage's own entry in dvc.lock
    made.commit("first run")
    return made


@pytest.fixture
def pipeline(make: Make) -> Pipeline:
    """A pipeline whose stage depends on the whole environment."""
    return make("--no-guard")


@pytest.fixture
def guarded(make: Make) -> Pipeline:
    """A pipeline whose stage depends on what it used."""
    return make("")
