"""What Snakemake recorded of a file: `.snakemake/metadata`, read without Snakemake."""

import base64
import json
import os
from collections.abc import Iterator
from typing import Any, Final

import msgspec

FOLDER: Final = ".snakemake"
_METADATA: Final = "metadata"
_LONGEST_NAME: Final = 255
_LIMIT_BYTES: Final = 16 * 1024 * 1024
_SHA256: Final = "sha256:"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """How an output was made.

    Attributes:
        input: the paths of its inputs, relative to the workflow's folder.
        checksums: sha256 of the inputs, by path, as they were when the job had ended. Files
            that were larger than `--max-checksum-file-size` have none.
    """

    output: str
    rule: str
    input: tuple[str, ...]
    checksums: dict[str, str]


def record_of(folder: str, output: str) -> Record | None:
    """The record of an output; None where there is none that can be read.

    Args:
        folder: the workflow's working directory, which holds `.snakemake`.
        output: the output's path as the rule has it.
    """
    entry = read_entry(record_path(folder, output))
    return None if entry is None else _record(output, entry)


def records(folder: str) -> Iterator[Record]:
    """Every record of a workflow."""
    top = os.path.join(folder, FOLDER, _METADATA)
    for base, _, names in os.walk(top):
        for name in names:
            parts = os.path.relpath(os.path.join(base, name), top).split(os.sep)
            entry = read_entry(os.path.join(base, name))
            output = _decoded("".join(part.removeprefix("@") for part in parts))
            if entry is not None and output:
                yield _record(output, entry)


def record_path(folder: str, output: str) -> str:
    """The file of a record, as Snakemake names it (`persistence/file.py`)."""
    text = base64.urlsafe_b64encode(output.encode()).decode()
    step = _LONGEST_NAME - 1
    parts = [text[start : start + step] for start in range(0, len(text), step)]
    return os.path.join(
        folder, FOLDER, _METADATA, *("@" + part for part in parts[:-1]), *parts[-1:]
    )


def read_entry(path: str) -> dict[str, Any] | None:
    """A record as it stands in its file."""
    try:
        with open(path, "rb") as file:
            entry = json.loads(file.read(_LIMIT_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _record(output: str, entry: dict[str, Any]) -> Record:
    found = entry.get("input_checksums")
    checksums = found if isinstance(found, dict) else {}
    return Record(
        output=output,
        rule=str(entry.get("rule") or ""),
        input=tuple(str(each) for each in entry.get("input") or ()),
        checksums={
            str(path): str(value).removeprefix(_SHA256)
            for path, value in checksums.items()
            if ":" not in str(value).removeprefix(_SHA256)
        },
    )


def _decoded(name: str) -> str:
    try:
        return base64.urlsafe_b64decode(name.encode()).decode()
    except ValueError:
        return ""
