"""Every tracker has the one small interface; mypy checks the shapes."""

from envstage.seeds.contract import LIBRARIES, Library, library
from envstage.seeds.libraries import jax, numpy, python, tensorflow, torch
from envstage.trackers import dvclive, mlflow, wandb
from envstage.trackers.interface import Source, Tracker

TRACKERS: tuple[Tracker, ...] = (wandb, mlflow, dvclive)
SOURCES: tuple[Source, ...] = (mlflow,)
SEEDED: tuple[Library, ...] = (python, numpy, torch, tensorflow, jax)


def test_each_tracker_is_named_after_its_package() -> None:
    assert [each.NAME for each in TRACKERS] == ["wandb", "mlflow", "dvclive"]


def test_each_library_has_its_module() -> None:
    assert [library(name) for name in LIBRARIES] == list(SEEDED)
