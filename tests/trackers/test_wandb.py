"""Weights & Biases, offline: what the run's folder holds is read back."""

import hashlib
import json
import struct
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envstage.snapshot.document import decode, snapshot_fingerprint
from tests.notebook.scripts import run_script

pytestmark = pytest.mark.e2e
SCRIPT = """
import wandb
from envstage import capture_environment, log_environment_to_wandb, save_environment_snapshot

info = capture_environment()
paths = save_environment_snapshot(info, "environment")
try:
    log_environment_to_wandb(*paths, info)
except RuntimeError as error:
    print(error)
with wandb.init(project="tests", name="my run 1", config={"lr": 0.1}):
    log_environment_to_wandb(*paths, info)
"""
WITHOUT = """
import sys
sys.modules["wandb"] = None
from envstage import log_environment_to_wandb
log_environment_to_wandb("", "", "", {})
"""
_BLOCK = 32768
_HEADER = struct.Struct("<IHB")


def records(path: Path) -> Iterator[bytes]:
    """The records of W&B's file: LevelDB's log format behind seven bytes of its own."""
    data = path.read_bytes()
    place, parts = 7, b""
    while place + _HEADER.size <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEADER.size:
            place += left
            continue
        _, length, kind = _HEADER.unpack_from(data, place)
        place += _HEADER.size
        parts += data[place : place + length]
        place += length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def read_back(folder: Path) -> tuple[dict[str, str], Any]:
    """The config and the artifact of the only offline run."""
    from wandb.proto import wandb_internal_pb2

    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    config: dict[str, str] = {}
    artifacts = []
    for data in records(path):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "config":
            config |= {each.key: json.loads(each.value_json) for each in record.config.update}
        if record.WhichOneof("record_type") == "artifact":
            artifacts.append(record.artifact)
    (artifact,) = artifacts
    return config, artifact


@pytest.mark.filterwarnings("default")  # of W&B's own modules, which are read here
def test_an_offline_run(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed", exc_type=ImportError)
    output = run_script(SCRIPT, tmp_path, WANDB_MODE="offline", WANDB_SILENT="true")
    assert output.startswith("No active W&B run. Call wandb.init() first.")
    info = json.loads((tmp_path / "environment/environment.json").read_text())
    config, artifact = read_back(tmp_path)

    assert (artifact.name, artifact.type) == ("my-run-1-environment", "environment")
    files = {each.path: Path(each.local_path) for each in artifact.manifest.contents}
    assert sorted(files) == [
        "REPRODUCE.md",
        "environment.json",
        "requirements.txt",
        "snapshot.json",
    ]
    for name in ("REPRODUCE.md", "environment.json", "requirements.txt"):
        assert files[name].read_bytes() == (tmp_path / "environment" / name).read_bytes()
    for each in artifact.manifest.contents:
        data = files[each.path].read_bytes()
        assert each.digest == b64encode(hashlib.md5(data).digest()).decode()

    fingerprint = snapshot_fingerprint(decode(files["snapshot.json"].read_bytes(), ""))
    assert config["environment_fingerprint"] == fingerprint
    assert json.loads(artifact.metadata)["fingerprint"] == fingerprint
    assert config["python_version"] == info["python_version_short"]
    assert config["numpy_version"] == info["numpy_version"]


def test_without_wandb(tmp_path: Path) -> None:
    assert "ModuleNotFoundError: import of wandb halted" in run_script(WITHOUT, tmp_path, code=1)
