"""REPRODUCE.md from the flat form: how a person gets this environment again."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from envstage import layout
from envstage.snapshot.words import printable

_ROWS: Final = (
    ("Python", "python_version_short"),
    ("Platform", "platform"),
    ("PyTorch", "torch_version"),
    ("Transformers", "transformers_version"),
    ("NumPy", "numpy_version"),
    ("CUDA", "cuda_version"),
    ("cuDNN", "cudnn_version"),
    ("GPU", "gpu_name"),
    ("GPUs", "gpu_count"),
)


def guide(env_info: Mapping[str, Any]) -> str:
    """The document; its commands are run in the folder that holds it."""
    version = _text(env_info.get("python_version_short")) or "3"
    sections = (
        "# Environment Reproduction Guide",
        _set_up(version),
        "## System Information\n\n" + "\n".join(_rows(env_info)),
        _verify(),
        "## Known Non-Determinism\n\n" + "\n".join(f"- {line}" for line in _doubts(env_info)),
        _troubleshooting(version),
    )
    return "\n\n".join(sections) + "\n"


def _set_up(version: str) -> str:
    minor = ".".join(version.split(".")[:2])
    return f"""## Quick Setup

```bash
python{minor} -m venv .venv
. .venv/bin/activate                  # Windows: .venv\\Scripts\\activate
python --version                      # Should be {version}
pip install -r {layout.REQUIREMENTS} --no-deps
```

`--no-deps`, because the list is complete: resolving again could only change it."""


def _rows(env_info: Mapping[str, Any]) -> Iterator[str]:
    for title, key in _ROWS:
        text = _text(env_info.get(key))
        if text and text != "0":
            yield f"- **{title}**: {text}"
    if env_info.get("cuda_available") is False:
        yield "- **CUDA available**: no"


def _verify() -> str:
    return f"""## Verify

```bash
python -c "import envstage; print(envstage.capture().diff('{layout.SNAPSHOT}'))"
```"""


def _doubts(env_info: Mapping[str, Any]) -> Iterator[str]:
    """Why two runs in this very environment could still differ."""
    variables = _variables(env_info)
    if variables is not None and "PYTHONHASHSEED" not in variables:
        yield "`PYTHONHASHSEED` was not set: the order of sets of text differs in every run."
    if env_info.get("cuda_available"):
        yield "GPU kernels that add atomically differ in the last digits from run to run."
        if variables is not None and "CUBLAS_WORKSPACE_CONFIG" not in variables:
            yield (
                "`CUBLAS_WORKSPACE_CONFIG` was not set when Python started: cuBLAS may differ "
                "between runs, unless the program sets it, as "
                "`set_random_seed(seed, deterministic=True)` does."
            )
    yield "Another number of threads adds in another order: last digits differ."
    yield "Another CPU or GPU model may choose other kernels, with other last digits."


def _troubleshooting(version: str) -> str:
    return f"""## Troubleshooting

**Another Python version.** This environment ran on {version}. `uv python install {version}` or
`pyenv install {version}` brings it; a container: `docker run -it python:{version} bash`.

**CUDA mismatch.** A GPU build of a framework needs a driver that supports the CUDA version it was
compiled for: `nvidia-smi` shows what the driver supports.

**Conflicts.** They come from resolving: install with `--no-deps` into an empty environment."""


def _variables(env_info: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The watched variables that were set; None where the dict does not tell."""
    own = env_info.get("envstage")
    snapshot = own.get("snapshot") if isinstance(own, Mapping) else None
    facts = snapshot.get("facts") if isinstance(snapshot, Mapping) else None
    return facts.get("variables", {}) if isinstance(facts, Mapping) else None


def _text(value: object) -> str:
    """One line that Markdown cannot take for more."""
    if value is None:
        return ""
    return printable(str(value)).replace("`", "'").replace("<", "&lt;")
