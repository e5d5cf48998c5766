"""dvc.lock and .dvc files as envstage reads them: the digests of what stages read and made."""

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.pipelines.dvc_file import Stage
from envstage.yaml_node import Node, composed

LOCK_FILE: Final = "dvc.lock"
# One of these holds the digest; which one depends on where the data lives.
_DIGESTS: Final = ("md5", "etag", "checksum", "sha256", "version_id")


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What the last runs recorded, with paths relative to the project.

    Attributes:
        deps: by the stage's address (`train`, `sub/dvc.yaml:train@a`), path → digest.
        outs: path → digest, of every stage.
    """

    deps: Mapping[str, Mapping[str, str]]
    outs: Mapping[str, str]


def recorded(root: str, stages: Sequence[Stage]) -> Recorded:
    """Read every dvc.lock beside a dvc.yaml.

    Raises:
        EnvstageError: one of them is not YAML.
    """
    deps: dict[str, dict[str, str]] = {}
    outs: dict[str, str] = {}
    by_name = {(stage.file, stage.name): stage for stage in stages}
    for file in dict.fromkeys(stage.file for stage in stages):
        for name, entry in _stages(root, posixpath.join(posixpath.dirname(file), LOCK_FILE)):
            stage = by_name.get((file, name.partition("@")[0]))
            if stage is None:
                continue
            address = stage.address.removesuffix(stage.name) + name
            deps[address] = dict(_digests(entry, "deps", stage.folder))
            outs |= dict(_digests(entry, "outs", stage.folder))
    return Recorded(deps=deps, outs=outs)


def tracked_digest(root: str, path: str) -> str | None:
    """The digest that `dvc add` recorded of a file or folder, in the .dvc file beside it."""
    node = _read(root, f"{path}.dvc")
    if node is None:
        return None
    found = dict(_digests(node, "outs", posixpath.dirname(path)))
    return found.get(posixpath.normpath(path))


def _stages(root: str, file: str) -> Iterator[tuple[str, Node]]:
    document = _read(root, file)
    stages = _child(document, "stages")
    if stages is not None and stages.node.id == "mapping":
        for name, _, entry in stages.entries():
            yield name, entry


def _digests(entry: Node, key: str, folder: str) -> Iterator[tuple[str, str]]:
    listed = _child(entry, key)
    for item in listed.node.value if listed is not None and listed.node.id == "sequence" else ():
        if item.id != "mapping":
            continue
        fields = {name: value for name, _, value in Node(item, entry.file).entries()}
        digest = next((fields[name] for name in _DIGESTS if name in fields), None)
        if "path" in fields and digest is not None and digest.node.id == "scalar":
            path = posixpath.normpath(posixpath.join(folder, fields["path"].text()))
            yield path, str(digest.node.value)


def _child(node: Node | None, key: str) -> Node | None:
    if node is None or node.node.id != "mapping":
        return None
    return next((value for name, _, value in node.entries() if name == key), None)


def _read(root: str, file: str) -> Node | None:
    try:
        with open(os.path.join(root, *file.split("/")), "rb") as opened:
            return composed(opened.read(), file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EnvstageError(f"cannot be read: {error.strerror}", where=file) from None
