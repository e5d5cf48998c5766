"""Which files the indexes have of the packages of a snapshot: asked through uv."""

import os
import sys
import tempfile
from typing import Any, Final

from envstage.errors import EnvstageError
from envstage.export.artifacts import Artifact, Artifacts
from envstage.export.packages import packages_of, python_version
from envstage.export.pins import extra_indexes, requirement
from envstage.indexes import Indexes
from envstage.recreate.failures import failure
from envstage.recreate.installer import Installer
from envstage.recreate.process import Progress
from envstage.snapshot.model import Snapshot
from envstage.snapshot.secrets import is_secret_value, without_secrets

_LOCK: Final = "pylock.toml"


def artifacts_of(installer: Installer, snapshot: Snapshot, progress: Progress) -> Artifacts:
    """The wheels and source archives of every package that an index serves, with digests.

    Raises:
        EnvstageError: uv is not installed, no index is reached, or one lacks a version.
    """
    packages = packages_of(snapshot)
    pins = {
        each.name: line
        for each in packages
        if each.remote is None and (line := requirement(each)) is not None
    }
    if not pins:
        return {}
    if installer.uv is None:
        raise EnvstageError(
            "uv is not installed, and it is what asks the indexes for digests and URLs",
            fix="pip install 'envstage[recreate]', or see https://docs.astral.sh/uv/",
        )
    indexes = Indexes(extra=extra_indexes(packages)).merged(installer.indexes)
    with tempfile.TemporaryDirectory(prefix="envstage-") as folder:
        done = installer.with_indexes(indexes).lock(
            list(pins.values()), os.path.join(folder, _LOCK), python_version(snapshot), progress
        )
        if done.returncode:
            raise failure(done, list(pins))
        with open(os.path.join(folder, _LOCK), "rb") as file:
            return _files(_parsed(file.read()))


def _parsed(data: bytes) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    document: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    return document


def _files(document: dict[str, Any]) -> Artifacts:
    return {
        str(package["name"]): tuple(
            artifact
            for entry in (*package.get("wheels", ()), package.get("sdist"))
            if entry and (artifact := _artifact(entry)) is not None
        )
        for package in document.get("packages", ())
    }


def _artifact(entry: dict[str, Any]) -> Artifact | None:
    url = str(entry.get("url") or entry.get("path") or "")
    sha256 = entry.get("hashes", {}).get("sha256")
    if not url or not sha256:
        return None
    if "://" in url and (is_secret_value(url) or "?" in url):
        url = without_secrets(url)
    return Artifact(
        filename=str(entry.get("name") or url.partition("#")[0].rpartition("/")[2]),
        url=url,
        sha256=str(sha256),
        size_bytes=entry.get("size"),
    )
