"""Documents that other programs write, one module a format: what they say, as facts."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Final, cast

from envstage.compare.foreign.interface import Document, Foreign, Reader
from envstage.errors import EnvstageError

# The most particular first: a requirements.txt beside wandb-metadata.json is W&B's.
MODULES: Final = (
    *("wandb", "mlflow", "pip_inspect", "flat_json", "conda_explicit", "conda_environment"),
    "requirements",
)
COMPANIONS: Final = (
    *("wandb-metadata.json", "python_env.yaml", "conda.yaml", "MLmodel", "requirements.txt"),
)
"""Files that are looked for beside a document: some formats are two files."""


def read(name: str, data: bytes, beside: Mapping[str, bytes], where: str) -> Foreign:
    """What a document says.

    Args:
        name: the file's own name; some formats are told by it.
        beside: the companions that stand in the same folder, by name.
        where: how to call it in errors.

    Raises:
        EnvstageError: no format is recognised, or it is damaged.
    """
    document = Document(name=name, data=data, beside=beside, where=where)
    reader = _reader_of(document)
    if reader is not None:
        return reader.read(document)
    raise EnvstageError(
        "is no document that envstage can read",
        where=where,
        fix="Give a snapshot, a view or a receipt of envstage's, pip freeze, pip inspect, "
        "conda's environment.yml or explicit list, or what W&B or MLflow record",
    )


def is_known(name: str, data: bytes, beside: Mapping[str, bytes]) -> bool:
    """Whether some format is recognised."""
    return _reader_of(Document(name=name, data=data, beside=beside, where=name)) is not None


def _reader_of(document: Document) -> Reader | None:
    return next((each for each in _readers() if each.recognises(document)), None)


def _readers() -> Iterator[Reader]:
    for name in MODULES:
        yield cast(Reader, importlib.import_module(f"envstage.compare.foreign.{name}"))
