"""CUDA and cuDNN: compiled for, shipped, installed on the machine."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from envstage.facets import cuda
from envstage.facets.contract import Installed, Request
from envstage.snapshot.model import Level, NotApplicable, Unknown, Value
from tests.facets.requests import probe
from tests.facets.requests import request as asked
from tests.hosts import CapturedHost, host

SITE = "/venv/lib/python3.11/site-packages"
TORCH = (
    "from typing import Optional\n\n__all__ = ['__version__', 'debug', 'cuda', 'git_version']\n"
    "__version__ = '2.7.1+cu128'\ndebug = False\ncuda: Optional[str] = '12.8'\n"
    "git_version = 'e2d141d'\nhip: Optional[str] = None\n"
)
TENSORFLOW = (
    "import collections\nbuild_info = collections.OrderedDict([('cpu_compiler', '/usr/bin/clang'),"
    " ('cuda_compute_capabilities', ['sm_60']), ('cuda_version', '12.5.1'),"
    " ('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False)])\n"
)
TENSORFLOW_CPU = "build_info = {'is_cuda_build': False, 'is_rocm_build': False}\n"


def machine(
    folder: Path,
    files: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    **recorded: object,
) -> CapturedHost:
    """A machine with these files; one whose text begins with `->` is a link."""
    (folder / "files").mkdir()
    for path, text in (files or {}).items():
        target = folder / "files" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            target.symlink_to(text[2:])
        else:
            target.write_text(text)
    (folder / "host.json").write_text(json.dumps({"platform": "linux", **recorded}))
    return CapturedHost(folder, environ=environ)


def request(*distributions: tuple[str, str]) -> Request:
    """A capture of an environment with these distributions."""
    installed = tuple(
        Installed(name=name, version=version, location=SITE, metadata_path="")
        for name, version in distributions
    )
    return asked(probe=probe("/venv/bin/python", "/venv", installed, (SITE,)))


def facts(world: CapturedHost, *distributions: tuple[str, str]) -> dict[str, Value]:
    collected = cuda.collect(world, request(*distributions)).facts
    return {".".join(address[2:]): value for address, value in collected.items()}


NOTHING: dict[str, Value] = {"system.cuda": None, "system.cudnn": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TORCH, "12.8"),
        (TORCH.replace("'12.8'", "None"), None),
        (TORCH.replace(": Optional[str] = '12.8'", " = '11.7'"), "11.7"),
        (TORCH.replace("cuda: Optional[str] = '12.8'", 'cuda = "12.1"'), "12.1"),
        (TORCH[: TORCH.index("'12.8'") + 3], Unknown("its version.py does not tell")),
        ("", Unknown("its version.py does not tell")),
    ],
)
def test_torch(tmp_path: Path, text: str, expected: Value) -> None:
    world = machine(tmp_path, {f"{SITE}/torch/version.py": text})
    assert facts(world, ("torch", "2.7.1")) == {**NOTHING, "compiled.torch": expected}


def test_a_framework_without_its_file_is_unknown_and_no_path_is_told(tmp_path: Path) -> None:
    found = facts(machine(tmp_path), ("torch", "2.7.1"))
    assert found["compiled.torch"] == Unknown(
        "cannot read its version.py: no such file or directory"
    )


def test_tensorflow(tmp_path: Path) -> None:
    path = f"{SITE}/tensorflow/python/platform/build_info.py"
    world = machine(tmp_path, {path: TENSORFLOW})
    assert facts(world, ("tensorflow", "2.18.0")) == {
        **NOTHING,
        "compiled.tensorflow": "12.5.1",
        "cudnn_compiled.tensorflow": "9",
    }
    (tmp_path / "files" / path.lstrip("/")).write_text(TENSORFLOW_CPU)
    assert facts(world, ("tensorflow_cpu", "2.18.0")) == {
        **NOTHING,
        "compiled.tensorflow": None,
        "cudnn_compiled.tensorflow": None,
    }


def test_wheels(tmp_path: Path) -> None:
    found = facts(
        machine(tmp_path),
        ("nvidia-cudnn-cu12", "9.1.0.70"),
        ("NVIDIA_NCCL.cu12", "2.21.5"),
        ("nvidia-cublas", "13.0.0.19"),
        ("nvidia-cublas-cu12", "12.4.5.8"),
        ("nvidia-cuda-runtime-cu12", "12.4.127"),
        ("nvidia-ml-py", "12.535"),
        ("jax_cuda12_plugin", "0.4.30"),
        ("numpy", "2.0.0"),
    )
    assert found == {
        **NOTHING,
        "shipped.cudnn": "9.1.0.70",
        "shipped.nccl": "2.21.5",
        "shipped.cublas": "12.4.5.8, 13.0.0.19",
        "shipped.cuda": "12.4.127",
        "compiled.jaxlib": "12",
    }


VERSION_JSON = '{"cuda": {"name": "CUDA SDK", "version": "12.4.0"}, "nvcc": {"version": "12.4.99"}}'


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        ({"/usr/local/cuda/version.json": VERSION_JSON}, {}, "12.4.0"),
        ({"/usr/local/cuda/version.txt": "CUDA Version 10.1.243\n"}, {}, "10.1.243"),
        (
            {
                "/usr/local/cuda/version.json": VERSION_JSON,
                "/opt/cuda/version.txt": "CUDA Version 9",
            },
            {"CUDA_HOME": "/opt/cuda"},
            "9",
        ),
        (
            {"/usr/local/cuda/version.json": VERSION_JSON[:20]},
            {},
            Unknown("the CUDA toolkit's version.json does not tell"),
        ),
        ({}, {}, None),
    ],
)
def test_toolkit(
    tmp_path: Path, files: dict[str, str], environ: dict[str, str], expected: Value
) -> None:
    assert facts(machine(tmp_path, files, environ))["system.cuda"] == expected


def test_a_toolkit_that_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    world = machine(tmp_path, denied=["/usr/local/cuda"])
    assert facts(world)["system.cuda"] == Unknown(
        "cannot read the CUDA toolkit's version.json: permission denied"
    )


OLD = {
    "/opt/cudnn/libcudnn.so": "->libcudnn.so.8",
    "/opt/cudnn/libcudnn.so.8": "->libcudnn.so.8.0.3",
    "/opt/cudnn/libcudnn.so.8.0.3": "",
    "/opt/cudnn/libcudnn_ops_infer.so.8.9.9": "",
}
NEW = {
    "/usr/lib/x86_64-linux-gnu/libcudnn.so.9": "->libcudnn.so.9.1.0",
    "/usr/lib/x86_64-linux-gnu/libcudnn.so.9.1.0": "",
}


def test_the_loaders_path_goes_before_the_systems_folders(tmp_path: Path) -> None:
    world = machine(tmp_path, {**OLD, **NEW})
    assert facts(world)["system.cudnn"] == "9.1.0"
    first = CapturedHost(tmp_path, environ={"LD_LIBRARY_PATH": "/nowhere::opt/none;/opt/cudnn"})
    assert facts(first)["system.cudnn"] == "8.0.3"
    relative = CapturedHost(tmp_path, environ={"LD_LIBRARY_PATH": "opt/cudnn"})
    assert facts(relative)["system.cudnn"] == "9.1.0"


@pytest.mark.hard_case(14)
@pytest.mark.parametrize(
    ("files", "wheel", "told"),
    [
        (OLD, "8.3.2.44", True),
        (OLD, "8.0.3.33", False),
        (OLD, None, False),
        ({}, "8.3.2.44", False),
        ({"/opt/cudnn/libcudnn.so.9": ""}, "9.1.0.70", False),  # the wheel's own folder
        ({"/opt/cudnn/libcudnn.so.9": ""}, "90.1.0.70", True),
    ],
)
def test_two_cudnns_are_told(
    tmp_path: Path, files: dict[str, str], wheel: str | None, told: bool
) -> None:
    world = machine(tmp_path, files, {"LD_LIBRARY_PATH": "/opt/cudnn"})
    wheels = [] if wheel is None else [("nvidia-cudnn-cu12", wheel)]
    anomalies = cuda.collect(world, request(*wheels)).anomalies
    assert bool(anomalies) is told
    assert not told or ("LD_LIBRARY_PATH" in anomalies[0] and str(wheel) in anomalies[0])


def test_a_system_cudnn_beside_a_wheel_is_no_trouble(tmp_path: Path) -> None:
    world = machine(tmp_path, NEW)
    assert cuda.collect(world, request(("nvidia-cudnn-cu12", "8.3.2.44"))).anomalies == ()


def test_other_platforms(tmp_path: Path) -> None:
    mac = facts(host("darwin-m3"))
    assert mac["system.cuda"] == NotApplicable("NVIDIA has no CUDA for macOS")
    files = {"/cuda/version.json": VERSION_JSON, "/cuda/bin/cudnn64_9.dll": ""}
    windows = machine(tmp_path, files, {"CUDA_PATH": "/cuda"}, platform="win32")
    assert facts(windows) == {"system.cuda": "12.4.0", "system.cudnn": "9"}


def test_nothing_is_looked_at_below_the_level(tmp_path: Path) -> None:
    wanted = Request(root="/project", level=Level.SOFTWARE)
    assert cuda.collect(machine(tmp_path, NEW), wanted).facts == {}
