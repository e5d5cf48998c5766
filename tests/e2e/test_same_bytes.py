"""Two runs of the same stage give the same view, byte for byte, whatever chance does."""

from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.e2e

# Threads and processes import in an order that differs from run to run, and ask the metadata.
SHUFFLED = """\
import importlib, multiprocessing, os, pathlib, random, threading
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, version

NAMES = ["alpha", "beta", "gamma", "absent_one", "absent_two", "json", "sqlite3", "decimal"]


def load(name):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
    try:
        version(name)
    except PackageNotFoundError:
        pass
    packages_distributions().get(name)
    entry_points(group=name)


def load_all():
    names = list({*NAMES})  # by the hash seed
    random.shuffle(names)
    threads = [threading.Thread(target=load, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    methods = ["fork", "spawn"]
    random.shuffle(methods)
    children = [multiprocessing.get_context(each).Process(target=load_all) for each in methods]
    for child in children:
        child.start()
    if random.random() < 0.5:
        load_all()
    for child in children:
        child.join()
    pathlib.Path("model.txt").write_text("done")
"""


def test_finalised_bytes_do_not_depend_on_chance(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path).create(**{"train.py": SHUFFLED})
    for name in ("alpha", "beta", "gamma", "unused"):
        pipeline.install(name, "1.0")
    pipeline.track("train")
    # A seed that is set is a fact of its own; `random` is what Python does without one.
    pipeline.repro(PYTHONHASHSEED="random")
    view = pipeline.read("environment/views/train.json")
    assert '"gamma"' in view
    assert '"absent_one"' in view
    assert "unused" not in view
    for _ in range(3):
        output = pipeline.repro("-f", "-s", "train", PYTHONHASHSEED="random")
        assert "stays wide" not in output
        assert pipeline.read("environment/views/train.json") == view
