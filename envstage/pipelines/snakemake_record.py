"""What Snakemake recorded of files, in `.snakemake`: read without Snakemake."""

import base64
import json
import os
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec

from envstage.pipelines.snakemake_place import Place, read_place
from envstage.project import Project
from envstage.snapshot.files import write

FOLDER: Final = ".snakemake"
_METADATA: Final = "metadata"
_LONGEST_NAME: Final = 255
_LIMIT_BYTES: Final = 16 * 1024 * 1024
_SHA256: Final = "sha256:"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """How an output was made.

    Attributes:
        input: the paths of its inputs, relative to the workflow's folder.
        shellcmd: the command of a `shell:` rule; empty for others.
        code: what stands in the rule's `script:`, `run:` or `shell:`, as it is written.
        image: the container that it ran in.
        checksums: sha256 of the inputs, by path, as they were when the job had ended. Files
            that were larger than `--max-checksum-file-size` have none.
    """

    output: str
    rule: str
    input: tuple[str, ...]
    shellcmd: str
    code: str
    image: str
    checksums: dict[str, str]


class Records:
    """The records of a project's workflow, wherever it runs and keeps them."""

    def __init__(self, project: Project) -> None:
        self.place: Place = read_place(project)
        self.folder = os.path.normpath(project.path(self.place.folder))
        self._store = _store(os.path.join(self.folder, FOLDER), self.place)

    def of(self, output: str) -> Record | None:
        """The record of an output; None where there is none that can be read.

        Args:
            output: the output's path as the rule has it.
        """
        entry = self._store.entry(output)
        return None if entry is None else _record(output, entry)

    def all(self) -> Iterator[Record]:
        """Every record."""
        for output, entry in self._store.entries():
            yield _record(output, entry)

    def checksums(self, output: str) -> dict[str, Any]:
        """The checksums of an output's inputs, as Snakemake writes them."""
        found = (self._store.entry(output) or {}).get("input_checksums")
        return found if isinstance(found, dict) else {}

    def set_checksums(self, output: str, checksums: dict[str, Any]) -> None:
        """Rewrite the checksums of an output's inputs."""
        self._store.set_checksums(output, checksums)


class _Store(Protocol):
    def entry(self, output: str) -> dict[str, Any] | None: ...

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]: ...

    def set_checksums(self, output: str, checksums: dict[str, Any]) -> None: ...


def _store(folder: str, place: Place) -> _Store:
    if place.database:
        from envstage.pipelines.snakemake_database import Database

        return Database(folder, place.database)
    return _Files(os.path.join(folder, _METADATA))


class _Files:
    """Records as files, which is Snakemake's default (`persistence/file.py`)."""

    def __init__(self, top: str) -> None:
        self._top = top

    def entry(self, output: str) -> dict[str, Any] | None:
        return _read(self._path(output))

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for base, _, names in os.walk(self._top):
            for name in names:
                parts = os.path.relpath(os.path.join(base, name), self._top).split(os.sep)
                entry = _read(os.path.join(base, name))
                output = _decoded("".join(part.removeprefix("@") for part in parts))
                if entry is not None and output:
                    yield output, entry

    def set_checksums(self, output: str, checksums: dict[str, Any]) -> None:
        entry = self.entry(output) or {}
        content = json.dumps(entry | {"input_checksums": checksums})
        write(self._path(output), content.encode())

    def _path(self, output: str) -> str:
        text = base64.urlsafe_b64encode(output.encode()).decode()
        step = _LONGEST_NAME - 1
        parts = [text[start : start + step] for start in range(0, len(text), step)]
        return os.path.join(self._top, *("@" + part for part in parts[:-1]), *parts[-1:])


def _read(path: str) -> dict[str, Any] | None:
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
        shellcmd=str(entry.get("shellcmd") or ""),
        code=str(entry.get("code") or ""),
        image=str(entry.get("container_img_url") or ""),
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
