"""Snakemake's records in a database (`--persistence-backend db`): SQLite, read by itself."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from envstage.errors import EnvstageError

# Snakemake itself has a lock on it for moments only.
_WAIT_S: Final = 20
_SQLITE: Final = "sqlite:///"
_COLUMNS: Final = (
    *("target", "rule", "input", "shellcmd", "code", "container_img_url", "input_checksums"),
)
_TEXTS: Final = ("input", "input_checksums")


class Database:
    """The records of one workflow in a database.

    Args:
        folder: Snakemake's own (`.snakemake`, absolute), by which a database of several
            workflows tells them apart.
        url: as Snakemake has it; its file relative to the workflow's folder.
    """

    def __init__(self, folder: str, url: str) -> None:
        if not url.startswith(_SQLITE):
            raise EnvstageError(
                f"Snakemake's records are in a database of {url.partition(':')[0]}, and only "
                "files and SQLite are read",
                fix="Leave `--persistence-backend-db-url` away",
            )
        self._folder = folder
        path = url.removeprefix(_SQLITE).partition("?")[0]
        self._path = os.path.join(os.path.dirname(folder), path)

    def entry(self, output: str) -> dict[str, Any] | None:
        """The record of an output."""
        found = list(self._rows("AND target = ?", output))
        return found[0][1] if found else None

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every record, with its output."""
        yield from self._rows("")

    def set_checksums(self, output: str, checksums: dict[str, Any]) -> None:
        """Rewrite the checksums of a record's inputs."""
        with closing(self._open("rw")) as connection, connection:
            connection.execute(
                "UPDATE snakemake_metadata SET input_checksums = ? "
                "WHERE namespace = ? AND target = ?",
                (json.dumps(checksums), self._folder, output),
            )

    def _rows(self, more: str, *values: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if not os.path.isfile(self._path):
            return
        query = (
            f"SELECT {', '.join(_COLUMNS)} FROM snakemake_metadata "
            f"WHERE namespace = ? AND record_format_version > 0 {more}"
        )
        try:
            with closing(self._open("ro")) as connection:
                rows = connection.execute(query, (self._folder, *values)).fetchall()
        except sqlite3.Error as error:
            raise EnvstageError(f"cannot be read: {error}", where=self._path) from None
        for target, *rest in rows:
            entry = dict(zip(_COLUMNS[1:], rest, strict=True))
            yield target, entry | {name: _decoded(entry[name]) for name in _TEXTS}

    def _open(self, mode: str) -> sqlite3.Connection:
        from urllib.parse import quote

        return sqlite3.connect(f"file:{quote(self._path)}?mode={mode}", uri=True, timeout=_WAIT_S)


def _decoded(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None
