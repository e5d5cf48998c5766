"""Pipelines to start from, made once and copied: a copy costs a twentieth of a second."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline

Make = Callable[[str], Pipeline]


@pytest.fixture(scope="session")
def made() -> dict[str, Pipeline]:
    """The pipelines that were made already in this process, by the options of `track`."""
    return {}


@pytest.fixture
def make(
    made: dict[str, Pipeline], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Make:
    """Make a tracked pipeline with two packages, alpha (used) and beta (not used), that ran."""

    def copied(options: str) -> Pipeline:
        if options not in made:
            first = Pipeline(tmp_path_factory.mktemp("made")).create()
            first.install("alpha", "1.0")
            first.install("beta", "1.0")
            first.track("train", options=options)
            assert first.ran(first.repro()) == {"environment", "train"}
            first.repro()  # the environment stage's own entry in dvc.lock
            first.commit("first run")
            made[options] = first
        return made[options].copy_to(tmp_path)

    return copied


@pytest.fixture
def pipeline(make: Make) -> Pipeline:
    """A pipeline whose stage depends on the whole environment."""
    return make("--no-guard")


@pytest.fixture
def guarded(make: Make) -> Pipeline:
    """A pipeline whose stage depends on what it used."""
    return make("")
