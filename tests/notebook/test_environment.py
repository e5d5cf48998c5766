"""`capture_environment`, `save_environment_snapshot`: the guide's keys, right on this machine."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import envstage
from envstage import capture_environment, save_environment_snapshot
from envstage.cli import main
from envstage.errors import CaptureError, EnvstageError
from envstage.facets.contract import Installed, ProbeAnswer
from envstage.notebook.flat import device_keys
from envstage.notebook.running import live_notes
from envstage.snapshot.model import Address, NotApplicable, Value
from tests.notebook.scripts import run_script
from tests.wheels import build_wheel

KEYS = (
    "python_version python_version_short platform platform_system platform_release pip_freeze "
    "packages torch_version transformers_version numpy_version cuda_available cuda_version "
    "cudnn_version gpu_name gpu_count"
).split()
TORCH_VERSION = "__version__ = '2.1.0+cu121'\ncuda: Optional[str] = '12.1'\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of distributions that the interpreter sees through PYTHONPATH."""
    import zipfile

    folder = tmp_path / "site"
    for name, version, files in (
        ("torch", "2.1.0", {"torch/version.py": TORCH_VERSION}),
        ("transformers", "4.36.0", None),
    ):
        wheel = build_wheel(tmp_path, name, version, files=files)
        zipfile.ZipFile(wheel).extractall(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_key_of_the_guide_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    info = capture_environment()
    assert [key for key in KEYS if key not in info] == []
    assert info["python_version"] == sys.version
    assert info["python_version_short"] == ".".join(map(str, sys.version_info[:3]))
    assert isinstance(info["cuda_available"], bool)
    assert isinstance(info["gpu_count"], int)
    assert json.loads(json.dumps(info)) == info
    assert capture_environment() == info


def test_versions_are_read_and_nothing_is_imported(site: Path) -> None:
    info = capture_environment()
    assert info["torch_version"] == "2.1.0+cu121"
    assert info["packages"]["torch"] == "2.1.0"
    assert info["transformers_version"] == "4.36.0"
    assert "torch==2.1.0\n" in info["pip_freeze"]
    assert info["packages"]["msgspec"] == info["pip_freeze"].split("msgspec==")[1].split()[0]


def test_it_lists_what_pip_freeze_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--exclude-editable"],
        capture_output=True,
        text=True,
        check=True,
    )
    pinned = [line.split("==") for line in done.stdout.splitlines() if "==" in line]
    theirs = {canonical(name): version for name, version in pinned}
    ours = capture_environment()["packages"]
    assert {name: ours.get(name) for name in theirs} == theirs
    assert set(ours) - set(theirs) <= {"envstage"}  # editable here


def test_saving_writes_three_files(site: Path, tmp_path: Path) -> None:
    info = capture_environment()
    paths = save_environment_snapshot(info, "runs/1/environment")
    assert paths == (
        "runs/1/environment/requirements.txt",
        "runs/1/environment/environment.json",
        "runs/1/environment/REPRODUCE.md",
    )
    requirements, environment, reproduce = (Path(path).read_text() for path in paths)
    assert requirements == info["pip_freeze"]
    assert json.loads(environment) == info
    assert "pip install -r requirements.txt" in reproduce
    assert "- **PyTorch**: 2.1.0+cu121" in reproduce
    assert f"Should be {info['python_version_short']}" in reproduce


def test_saving_again_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = save_environment_snapshot(capture_environment())
    times = [Path(path).stat().st_mtime_ns for path in first]
    second = save_environment_snapshot(capture_environment())
    assert [Path(path).stat().st_mtime_ns for path in second] == times


def test_a_dict_made_by_hand_can_be_saved(tmp_path: Path) -> None:
    info: dict[str, Any] = {"packages": {"torch": "2.1.0+cu121", "a": "1"}, "odd": tmp_path}
    requirements, _, reproduce = save_environment_snapshot(info, tmp_path)
    assert Path(requirements).read_text() == (
        "--extra-index-url https://download.pytorch.org/whl/cu121\na==1\ntorch==2.1.0+cu121\n"
    )
    assert Path(reproduce).read_text().startswith("# Environment Reproduction Guide\n")


def test_a_pipelines_snapshot_is_not_overwritten(project: Path) -> None:
    assert main(["capture", "-C", str(project)]) == 0
    before = (project / "environment/environment.json").read_bytes()
    with pytest.raises(EnvstageError, match="is the snapshot of this project's pipeline"):
        save_environment_snapshot({"packages": {}}, project / "environment")
    assert (project / "environment/environment.json").read_bytes() == before


@pytest.fixture(params=["software", "platform", "hardware"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project whose environment is the interpreter that runs the tests."""
    (tmp_path / "envstage.yaml").write_text(
        f"environments:\n  main: {{python: {sys.executable}, level: {request.param}}}\n"
        "variables: {watch: [MY_FLAG]}\n"
    )
    return tmp_path


PIPELINE = """
import os
import envstage
from envstage.cli import main
from envstage.snapshot.document import decode

assert main(["capture"]) == 0
path = "environment/environment.json"
expected = decode(open(path, "rb").read(), path)
assert envstage.capture().snapshot == expected
assert not envstage.capture().diff(path)
# What a program sets is part of the program, not of what it found.
os.environ["MY_FLAG"] = "2"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["KMP_DUPLICATE_LIB_OK"] = "True"
envstage.set_random_seed(1, deterministic=True, libraries={libraries})
envstage.runtime_state()
captured = envstage.capture()
assert captured.snapshot == expected
changed = captured.info["envstage"]["set_by_program"]
assert changed == sorted(changed) and "MY_FLAG" in changed and "OMP_NUM_THREADS" in changed
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps what Python started with")
def test_the_fingerprint_is_the_pipelines(project: Path) -> None:
    has_torch = importlib.util.find_spec("torch") is not None
    text = PIPELINE.format(libraries=["torch"] if has_torch else ["numpy"])
    run_script(text, project, MY_FLAG="1")


def test_a_saved_environment_can_be_named(site: Path, tmp_path: Path) -> None:
    _, path, _ = envstage.capture().save("run")
    assert not envstage.capture().diff(path)
    (site / "transformers-4.36.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: transformers\nVersion: 4.37.0\n"
    )
    found = envstage.capture().diff("run")
    assert ("packages.transformers", "4.36.0 → 4.37.0 (upgrade)") in found.rows
    assert "4.36.0 → 4.37.0" in str(found)
    # A list of pins speaks of packages alone: what it is silent about is no difference.
    (row,) = envstage.capture().diff("run/requirements.txt").rows
    assert row == ("packages.transformers", "4.36.0 → 4.37.0 (upgrade)")


def test_an_unknown_environment_is_an_error(project: Path) -> None:
    with pytest.raises(EnvstageError, match="gpu"):
        envstage.capture("gpu", directory=str(project))


def test_an_embedded_interpreter_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(CaptureError, match="embedded"):
        envstage.capture()


VISIBLE: Address = ("hardware", "gpu", "visible")
COMPILED: Address = ("hardware", "cuda", "compiled", "torch")
GPU: dict[Address, Value] = {
    VISIBLE: ("Tesla T4, 15 GiB, compute 7.5", "Tesla T4, 15 GiB, compute 7.5"),
    ("hardware", "gpu", "models"): ("Tesla T4",),
    ("hardware", "cuda", "shipped", "cudnn"): "9.1.0.70",
}


def test_devices_of_a_gpu_machine() -> None:
    assert device_keys(GPU | {COMPILED: "12.4"}) == {
        "cuda_available": True,
        "cuda_version": "12.4",
        "cudnn_version": "9.1.0.70",
        "gpu_name": "Tesla T4",
        "gpu_count": 2,
    }


@pytest.mark.parametrize(
    "facts",
    [GPU | {COMPILED: None}, {VISIBLE: None, COMPILED: "12.4"}, {VISIBLE: NotApplicable("macOS")}],
    ids=["a processor's build of torch", "no GPU", "cannot be"],
)
def test_no_cuda(facts: dict[Address, Value]) -> None:
    keys = device_keys(facts)
    assert keys["cuda_available"] is False
    assert keys["cuda_version"] is None
    assert keys["cudnn_version"] is None


def answer(*installed: Installed) -> ProbeAnswer:
    return ProbeAnswer(
        payload=1, executable="", prefix="", base_prefix="", implementation="", version="",
        abi="", is_free_threaded=False, is_debug=False, compiler="", path=("/usr/lib/python3",),
        distributions=installed,
    )  # fmt: skip


def test_a_package_upgraded_under_the_program_is_noticed() -> None:
    import types

    numpy = types.ModuleType("numpy")
    numpy.__dict__["__version__"] = "1.26.3"
    there = Installed(
        name="numpy", version="1.26.4", location="", metadata_path="", tops=("numpy",)
    )
    (note,) = live_notes(answer(there), [], {"numpy": numpy})
    assert "numpy 1.26.3 is loaded, 1.26.4 is installed: restart the kernel" in note
    numpy.__dict__["__version__"] = "1.26.4+mkl"
    assert list(live_notes(answer(there), [], {"numpy": numpy})) == []


def test_a_folder_added_to_the_path_is_noticed(site: Path) -> None:
    (note,) = live_notes(answer(), ["", "/usr/lib/python3", str(site.parent), str(site)], {})
    assert f"sys.path has {site}" in note
