"""The formats, in the order in which `envstage export --help` lists them, imported when asked."""

import importlib
from collections.abc import Mapping
from typing import Final, Protocol, cast

from envstage.export.artifacts import Artifacts
from envstage.snapshot.model import Snapshot

# id → what it is; the module is envstage.export.<id> with `_` for `-`.
FORMATS: Final[Mapping[str, str]] = {
    "requirements": "requirements.txt for pip and uv: exact pins",
    "pylock": "pylock.toml (PEP 751): every file with its digest",
    "conda": "environment.yml for conda, mamba and micromamba",
    "conda-explicit": "conda's explicit list, for an environment of conda's",
    "dockerfile": "a Dockerfile that builds the environment",
    "cyclonedx": "a CycloneDX bill of materials (JSON)",
    "mqc-versions": "software versions as MultiQC and nf-core read them (YAML)",
    "html": "a page to read, as `snakemake --report` takes it in",
}


class Format(Protocol):
    """The shape of a format's module.

    Attributes:
        ID: its name on the command line.
        NEEDS_ARTIFACTS: whether it cannot do without what the indexes serve.
    """

    ID: str
    NEEDS_ARTIFACTS: bool

    def render(self, snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
        """The document, with its final newline; `EnvstageError` where there can be none."""


def format_of(name: str) -> Format:
    """The module of a format."""
    return cast(Format, importlib.import_module(f"envstage.export.{name.replace('-', '_')}"))
