"""REPRODUCE.md: how a person gets this environment again, filled from the snapshot."""

import re
from typing import Final

from envstage import layout
from envstage.export.packages import packages_of, python_version
from envstage.export.pins import extra_indexes
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Facts, Snapshot
from envstage.snapshot.words import printable, value_text

_KEY_PACKAGES: Final = tuple(
    "torch tensorflow jax numpy scipy pandas scikit-learn transformers xgboost lightgbm".split()
)
_SYSTEM: Final = (
    ("Operating system", ("system", "distribution")),
    ("Architecture", ("system", "architecture")),
    ("C library", ("system", "libc")),
    ("Container image", ("system", "container", "image")),
    ("CPU", ("hardware", "cpu", "microarchitecture")),
    ("GPUs", ("hardware", "gpu", "visible")),
    ("GPU driver", ("hardware", "gpu", "driver")),
    ("CUDA (compiled for, PyTorch)", ("hardware", "cuda", "compiled", "torch")),
    ("cuDNN (shipped)", ("hardware", "cuda", "shipped", "cudnn")),
)


def reproduce(snapshot: Snapshot) -> str:
    """The document: set-up, system, key packages, checking, non-determinism, troubleshooting."""
    sections = (
        _head(snapshot),
        _set_up(snapshot),
        _system(snapshot.facts),
        _packages(snapshot),
        _verify(snapshot),
        _non_determinism(snapshot.facts),
        _troubleshooting(snapshot),
    )
    return "\n\n".join(sections) + "\n"


def _head(snapshot: Snapshot) -> str:
    name = "" if snapshot.environment == layout.MAIN else f": {snapshot.environment}"
    digest = snapshot_fingerprint(snapshot)[:14]
    return (
        f"# How to get this environment again{name}\n\n"
        f"Snapshot `{digest}`, level {snapshot.level.word}. Written by envstage from "
        f"`{layout.SNAPSHOT}`; edits are overwritten."
    )


def _set_up(snapshot: Snapshot) -> str:
    version = python_version(snapshot) or "3"
    minor = ".".join(version.split(".")[:2])
    folder = layout.folder_of(snapshot.environment)
    return f"""## Quick set-up

```bash
python{minor} --version                # should say {version}
python{minor} -m venv .venv
. .venv/bin/activate                # Windows: .venv\\Scripts\\activate
pip install --no-deps -r {folder}/{layout.REQUIREMENTS}
```

`--no-deps`, because the list is complete: resolving again could only change it."""


def _system(facts: Facts) -> str:
    rows = [("Python", ("python", "version")), ("Implementation", ("python", "implementation"))]
    lines = [
        f"- **{title}**: {_cell(value_text(facts[address]))}"
        for title, address in (*rows, *_SYSTEM)
        if address in facts
    ]
    lines += [
        f"- **Variable** `{_cell(address[1])}`: `{_cell(value_text(value))}`"
        for address, value in sorted(facts.items())
        if address[0] == "variables"
    ]
    return "## System information\n\n" + "\n".join(lines)


def _packages(snapshot: Snapshot) -> str:
    packages = packages_of(snapshot)
    versions = {package.name: package.version or "unknown" for package in packages}
    rows = [f"- {name} {_cell(versions[name])}" for name in _KEY_PACKAGES if name in versions]
    count = f"{len(packages)} packages in all: see `{layout.REQUIREMENTS}`."
    return "## Key packages\n\n" + "\n".join([*rows, "", count] if rows else [count])


def _verify(snapshot: Snapshot) -> str:
    option = "" if snapshot.environment == layout.MAIN else f" --environment {snapshot.environment}"
    return f"""## How to verify

```bash
envstage check{option}                      # exit 0: this machine matches; 1: it names what differs
```"""


def _non_determinism(facts: Facts) -> str:
    lines = []
    if ("variables", "PYTHONHASHSEED") not in facts:
        lines.append(
            "`PYTHONHASHSEED` was not set: the order of sets of text differs in every run."
        )
    has_gpu = bool(facts.get(("hardware", "gpu", "visible")))
    if has_gpu or any(address[:2] == ("packages", "torch") for address in facts):
        lines.append("GPU kernels that add atomically differ in the last digits from run to run.")
        if ("variables", "CUBLAS_WORKSPACE_CONFIG") not in facts:
            lines.append(
                "`CUBLAS_WORKSPACE_CONFIG` was not set: cuBLAS may differ between runs "
                "(`:4096:8` makes it deterministic)."
            )
    lines.append("Another number of threads adds in another order: last digits differ.")
    lines.append("Another CPU or GPU model may choose other kernels, with other last digits.")
    return "## Known non-determinism\n\n" + "\n".join(f"- {line}" for line in lines)


def _troubleshooting(snapshot: Snapshot) -> str:
    version = python_version(snapshot) or "3"
    parts = [
        f"""## Troubleshooting

**All of it at once.** `envstage recreate` builds this environment, compares every package with
the snapshot, and says what cannot be had here.

**Another Python version.** This environment ran on {version}. `uv python install {version}` or
`pyenv install {version}` brings it; a container: `docker run -it python:{version} bash`."""
    ]
    indexes = extra_indexes(packages_of(snapshot))
    if indexes:
        listed = " ".join(f"--extra-index-url {url}" for url in indexes)
        parts.append(
            "**CUDA mismatch.** The PyTorch build named above needs its own index "
            f"(`{listed}`), and a driver that supports its CUDA version."
        )
    else:
        parts.append(
            "**CUDA mismatch.** A GPU build of a framework needs a driver that supports the CUDA "
            "version it was compiled for: `nvidia-smi` shows what the driver supports."
        )
    parts.append(
        "**Conflicts.** They come from resolving: install with `--no-deps` into an empty "
        "environment. A package that no index has any more is named by pip; its comment in "
        f"`{layout.REQUIREMENTS}` says where it came from."
    )
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    """A text that Markdown leaves alone (case 26)."""
    return (
        re.sub(r"([\\`*_<>\[\]|])", r"\\\1", printable(text))
        if re.search(r"[\\`*<>\[\]|]", text)
        else printable(text)
    )
