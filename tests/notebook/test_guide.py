"""The usage guide's own code runs as it is written, with `from envstage import …`."""

import json
import re
from pathlib import Path

import pytest

from tests.notebook.scripts import run_script

pytestmark = pytest.mark.e2e
GUIDE = Path(__file__).parents[1] / "data" / "notebook" / "usage_guide.md"
# What a block takes for granted: the reader's own code around it.
AROUND = """
import sys, types

class MetricsTracker:
    def __init__(self, use_wandb): pass
    def log_epoch(self, **values): assert values["train_metrics"]["loss"] == 0.5

for name in ("utils", "utils.training", "utils.training.metrics_tracker"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["utils.training.metrics_tracker"].MetricsTracker = MetricsTracker
train_loss = train_acc = val_loss = val_acc = current_lr = max_grad = epoch_time = 0.5
"""


def blocks() -> list[str]:
    """The Python blocks, with envstage in the place of the utilities that it takes over."""
    found = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    modules = r"utils\.training\.(environment_snapshot|seed_manager)"
    return [re.sub(rf"from {modules} import", "from envstage import", each) for each in found]


QUICK_START, TRAINING, COMPARING, ACCESS, SEEDING, DEBUGGING = blocks()


def test_quick_start(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed", exc_type=ImportError)
    run_script(QUICK_START, tmp_path, WANDB_MODE="offline")
    written = sorted(path.name for path in (tmp_path / "environment").iterdir())
    assert written == ["REPRODUCE.md", "environment.json", "requirements.txt"]


def test_a_training_cell(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed", exc_type=ImportError)
    run_script(AROUND + TRAINING, tmp_path, WANDB_MODE="offline", WANDB_SILENT="true")
    assert (tmp_path / "environment/environment.json").exists()
    assert list((tmp_path / "wandb").glob("offline-run-*"))


@pytest.mark.parametrize("names", [("run1", "run2"), ("old_run", "new_run")])
def test_comparing(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, version, python in zip(names, ("2.0.1", "2.1.0"), ("3.10.12", "3.11.4"), strict=True):
        (tmp_path / name).mkdir()
        document = {"packages": {"torch": version}, "python_version_short": python}
        (tmp_path / name / "environment.json").write_text(json.dumps(document))
    if names[0] == "run1":
        output = run_script(COMPARING + ACCESS, tmp_path)
        assert "Version changes: 1\n  torch: 2.0.1 → 2.1.0\n" in output
        assert "Python version changed" in output
    else:
        text = "from envstage import compare_environments\n" + DEBUGGING
        assert "likely cause of different results" in run_script(text, tmp_path)


def test_seeding(tmp_path: Path) -> None:
    run_script(SEEDING, tmp_path)
