"""PyTorch: bit-identical training, deterministic mode, states. `make test-torch` installs it."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from tests.notebook.scripts import ROOT, run_script

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        importlib.util.find_spec("torch") is None,
        reason="PyTorch is not installed (up to gigabytes): `make test-torch` installs it",
    ),
]
TRAIN = """
import json
from train import train
runs = [train(seed, workers) for seed in (42, 123, 999) for workers in (0, 2)]
print(json.dumps(runs))
"""
STATE = """
import torch
from envstage import restore_rng_state, runtime_state, save_rng_state, set_random_seed

weights = torch.rand(3)  # before the seed
set_random_seed(42)
assert any("torch was seeded too late" in each for each in runtime_state().warnings)
first = torch.rand(3)
set_random_seed(42)
assert torch.equal(first, torch.rand(3))
switches = runtime_state().switches
assert not switches["torch.deterministic_algorithms"]

assert "torch" in save_rng_state("rng.json")
expected = torch.rand(5), torch.randn(5)
restore_rng_state("rng.json")
assert all(torch.equal(*pair) for pair in zip(expected, (torch.rand(5), torch.randn(5))))
torch.manual_seed(7)
set_random_seed(42)
torch.manual_seed(7)
assert any("torch was seeded anew, with 7" in each for each in runtime_state().warnings)
print("ok")
"""
MODE = """
import os
import torch
from envstage import runtime_state, set_random_seed

assert set_random_seed(42, deterministic=True).notes == ()
state = runtime_state()
assert state.switches["torch.deterministic_algorithms"] is True
assert state.switches["torch.cudnn.deterministic"] is True
assert state.switches["torch.cudnn.benchmark"] is False
assert state.variables["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
assert state.warnings == (), state.warnings
set_random_seed(42)  # leaves the switches as they are
assert torch.are_deterministic_algorithms_enabled()
os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":0:0"
notes = set_random_seed(42, deterministic=True).notes
assert len(notes) == 1 and notes[0].startswith("CUBLAS_WORKSPACE_CONFIG is `:0:0`: ")
print("ok")
"""
ASKED = """
import sys
from envstage import set_random_seed
assert "torch" not in set_random_seed(1).libraries
assert set_random_seed(1, libraries=["torch"]).libraries[-1] == "torch"
print("torch" in sys.modules)
"""
LOADERS = """
import torch
from torch.utils.data import DataLoader
from envstage import create_seeded_generator, runtime_state, seed_worker

data = list(range(100))
def order(seed):
    torch.rand(seed)  # whatever was drawn before does not matter
    loader = DataLoader(data, shuffle=True, generator=create_seeded_generator(seed),
                        worker_init_fn=seed_worker, num_workers=2)
    (state,) = runtime_state().loaders
    assert (state.workers, state.is_shuffled, state.has_generator, state.has_worker_init) == (
        2, True, True, True)
    return [int(each) for each in loader]
assert order(1) == order(1) != order(2)
print("ok")
"""
TIMED = """
import time
import torch
from envstage import capture_environment
capture_environment()
times = [9]
end = time.perf_counter() + 20
while min(times) > 0.3 and time.perf_counter() < end:  # a busy machine is no slow envstage
    start = time.perf_counter()
    info = capture_environment()
    times.append(time.perf_counter() - start)
assert info["torch_version"] == torch.__version__
assert info["cuda_available"] == torch.cuda.is_available()
assert info["cuda_version"] == (torch.version.cuda if info["cuda_available"] else None)
assert info["gpu_count"] == torch.cuda.device_count()
assert not torch.cuda.is_initialized() or info["gpu_count"]
print(min(times))
"""


def test_training_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/notebook/train.py", tmp_path)
    first, second = (
        json.loads(run_script(TRAIN, tmp_path, PYTHONHASHSEED=seed)) for seed in ("0", "random")
    )
    assert first == second
    assert len({each["weights"] for each in first}) == 6


def test_the_example_trains_twice(tmp_path: Path) -> None:
    text = (ROOT / "examples/notebook/train.py").read_text(encoding="utf-8")
    output = run_script(text, tmp_path, PYTHONHASHSEED="0")
    assert output.rstrip().endswith("the second run gave the same bits")


@pytest.mark.parametrize("text", [STATE, LOADERS], ids=["state", "loaders"])
def test_states_and_loaders(tmp_path: Path, text: str) -> None:
    assert run_script(text, tmp_path).strip() == "ok"


def test_deterministic_mode(tmp_path: Path) -> None:
    assert run_script(MODE, tmp_path, PYTHONHASHSEED="0").strip() == "ok"


def test_it_is_imported_only_where_asked_for(tmp_path: Path) -> None:
    assert run_script(ASKED, tmp_path).strip() == "True"


def test_a_capture_beside_a_loaded_torch_is_quick(tmp_path: Path) -> None:
    assert float(run_script(TIMED, tmp_path)) < 0.3
