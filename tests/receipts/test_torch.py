"""A PyTorch run: its receipt against what the process itself had mapped and set."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pipeline import Pipeline
from tests.observer.test_effective import MAPS
from tests.wheels import Venv

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        importlib.util.find_spec("torch") is None,
        reason="PyTorch is not installed (up to gigabytes): `make test-torch` installs it",
    ),
    pytest.mark.skipif(sys.platform != "linux", reason="/proc/<pid>/maps"),
]
TRAIN = """
import torch
torch.manual_seed(7)
torch.use_deterministic_algorithms(True)
torch.backends.cudnn.benchmark = True
torch.set_num_threads(1)
model = torch.nn.Linear(64, 64)
model(torch.ones(9, 64)).sum().backward()
torch.save(model.state_dict(), "model.pt")
"""
# Names of files → the kind that the receipt gives them.
MARKS = {"gomp": "openmp", "iomp5": "openmp", "openblas": "blas", "mkl_": "blas", "cudnn": "cudnn",
         "libnccl": "nccl", "libcudart": "cuda", "libcublas": "cuda"}  # fmt: skip


@pytest.fixture(scope="module")
def receipt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    base = tmp_path_factory.mktemp("torch")
    pipeline = Pipeline(base, venv=Venv.at(Path(sys.prefix)))
    pipeline.root.mkdir()
    pipeline.write("train.py", MAPS + TRAIN)
    pipeline.write("envstage.yaml", "views: {train: {}}\n")
    pipeline.run("git", "init", "-q")
    pipeline.run("envstage", "capture")
    pipeline.run(*"envstage run --view train --receipt r.json --outs model.pt -- python"
                 " train.py".split())  # fmt: skip
    document: dict[str, Any] = json.loads(pipeline.read("r.json"))
    document["maps"] = json.loads(pipeline.read("maps.json"))
    return document


def test_libraries_against_the_maps(receipt: dict[str, Any]) -> None:
    libraries = receipt["commands"][0]["observed"]["libraries"]
    named = {each["path"]: each["kind"] for each in libraries}
    for path in receipt["maps"]:
        name = path.rpartition("/")[2]
        for mark, kind in MARKS.items():
            if mark in name and ".cpython-" not in name:
                assert named.get(path) == kind, path
    assert set(named) <= set(receipt["maps"])
    openmp = [each for each in libraries if each["kind"] == "openmp"]
    assert openmp and all(each["version"] for each in openmp)
    assert any(each["package"] == "torch" for each in openmp)


def test_the_blas_that_it_was_built_with(receipt: dict[str, Any]) -> None:
    import torch

    libraries = receipt["commands"][0]["observed"]["libraries"]
    blas = [each for each in libraries if each["kind"] == "blas" and each["package"] == "torch"]
    built_with = torch.__config__.show().partition("BLAS_INFO=")[2].split(",")[0]
    assert len(blas) == 1 and built_with in blas[0]["name"]
    if built_with == "mkl":
        assert f"Math Kernel Library Version {blas[0]['version']}" in torch.__config__.show()


def test_versions_of_cuda(receipt: dict[str, Any]) -> None:
    import torch

    observed = receipt["commands"][0]["observed"]
    (process,) = observed["processes"]
    assert process["settings"]["torch.compiled_for.cuda"] == torch.version.cuda
    for each in observed["libraries"]:
        if each["kind"] in ("cuda", "cudnn", "nccl"):
            assert each["version"], each
            assert receipt["snapshot"]["facts"]["packages"][each["package"]]["version"]


def test_what_was_in_effect(receipt: dict[str, Any]) -> None:
    (process,) = receipt["commands"][0]["observed"]["processes"]
    settings = process["settings"]
    assert settings["torch.initial_seed"] == 7
    assert settings["torch.deterministic_algorithms"] is True
    assert settings["torch.cudnn.benchmark"] is True
    assert settings["torch.cudnn.deterministic"] is False
    assert settings["torch.threads"] == 1
    assert settings["torch.cuda.is_initialized"] is False
    assert {pool["api"]: pool["threads"] for pool in process["pools"]}["openmp"] == 1
