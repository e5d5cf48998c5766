"""The stage that runs, as far as whoever started the run tells: its files and parameters."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from envstage.receipts.digests import Ignored, artifact
from envstage.receipts.model import Artifact, Parameters
from envstage.snapshot.canonical import canonical

# Who wants more asks for an attestation.
READ_AT_MOST_BYTES: Final = 4 * 1024**3


class StageFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage reads and makes; paths relative to the project.

    Attributes:
        params: file → key → value; None for a key that is not there.
        recorded: md5 of data that is not read here, as DVC recorded it.
        unseen: what could not be found out.
    """

    address: str | None = None
    deps: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = {}
    recorded: Mapping[str, str] = {}
    unseen: tuple[str, ...] = ()


def artifacts(
    root: str,
    paths: Iterable[str],
    recorded: Mapping[str, str],
    *,
    is_ignored: Ignored,
    limit_bytes: int = READ_AT_MOST_BYTES,
) -> tuple[Artifact, ...]:
    """The files and folders as they are now, by path."""
    found = []
    for path in sorted(set(paths)):
        each = artifact(root, path, limit_bytes=limit_bytes, is_ignored=is_ignored)
        if each.md5 is None and path in recorded:
            each = msgspec.structs.replace(
                each, md5=recorded[path], why=f"{each.why}; md5 as DVC recorded it"
            )
        found.append(each)
    return tuple(found)


def parameters(params: Mapping[str, Mapping[str, Any]]) -> tuple[Parameters, ...]:
    """A digest for each file of parameters: no value is told."""
    import hashlib

    found = []
    for file, values in sorted(params.items()):
        digest = hashlib.sha256(canonical(_plain(values))).hexdigest()
        found.append(Parameters(file=file, keys=tuple(sorted(values)), digest=f"sha256:{digest}"))
    return tuple(found)


def _plain(value: Any) -> Any:
    """A value as JSON has it: YAML has dates, and keys that are no texts."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | bool | int | float | None) else str(value)


def given(root: str, deps: Iterable[str], outs: Iterable[str]) -> StageFiles:
    """Files that the command line names; paths start from the working directory."""
    return StageFiles(
        deps=tuple(_relative(root, path) for path in deps),
        outs=tuple(_relative(root, path) for path in outs),
    )


def _relative(root: str, path: str) -> str:
    # By real paths: the working directory may be reached through a link.
    real = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
    return os.path.relpath(real, os.path.realpath(root)).replace(os.sep, "/")
