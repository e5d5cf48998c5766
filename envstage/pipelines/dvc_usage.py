"""Which stages depend on a view: read fast, since the guard asks before every run."""

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from envstage.errors import EnvstageError
from envstage.world import TimedOut, World
from envstage.yaml_node import loaded

DVC_FILE: Final = "dvc.yaml"
LOCK_FILE: Final = "dvc.lock"
_GIT_TIMEOUT_S: Final = 20
_LIMIT_BYTES: Final = 64 * 1024 * 1024


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that depends on a view.

    Attributes:
        address: as DVC writes it: `train`, `sub/dvc.yaml:train`.
        is_repeated: a `foreach` or `matrix` stage, which stands for several.
    """

    address: str
    file: str
    dep: str
    is_repeated: bool = False


def users_of(world: World, root: str, view_file: str) -> tuple[Usage, ...]:
    """The stages of the repository's pipelines that depend on a view (path from `layout`)."""
    return users_by_view(world, root, (view_file,))[view_file]


def users_by_view(
    world: World, root: str, view_files: Iterable[str]
) -> dict[str, tuple[Usage, ...]]:
    """The same for many views, read once."""
    found: dict[str, list[Usage]] = {file: [] for file in view_files}
    for file in pipeline_files(world, root):
        for name, stage in _stages(os.path.join(root, *file.split("/"))):
            for path, usage in _usages(file, name, stage):
                if path in found:
                    found[path].append(usage)
    return {path: tuple(users) for path, users in found.items()}


def pipeline_files(world: World, root: str) -> tuple[str, ...]:
    """The dvc.yaml files that Git tracks, those here and at the top, relative to the project."""
    files = {DVC_FILE, os.path.relpath(os.path.join(os.getcwd(), DVC_FILE), root)}
    git = world.which("git")
    if git is not None:
        argv = (git, "-C", root, "ls-files", "-z", "--", DVC_FILE, f"**/{DVC_FILE}")
        try:
            done = world.run(argv, timeout_s=_GIT_TIMEOUT_S)
            files |= {name for name in os.fsdecode(done.stdout).split("\0") if name}
        except (OSError, TimedOut):
            pass
    names = {file.replace(os.sep, "/") for file in files if not file.startswith("..")}
    return tuple(sorted(name for name in names if os.path.isfile(os.path.join(root, name))))


def load_yaml(path: str) -> dict[str, Any]:
    """A YAML mapping in a file; empty where it cannot be read as one."""
    try:
        with open(path, "rb") as file:
            return mapping_of(file.read(_LIMIT_BYTES))
    except OSError:
        return {}


def require_readable(world: World, root: str) -> None:
    """Say which dvc.yaml is the one that nobody can read.

    Raises:
        EnvstageError: one of the pipeline's files cannot be read, or is not YAML.
    """
    for file in pipeline_files(world, root):
        try:
            with open(os.path.join(root, *file.split("/")), "rb") as opened:
                loaded(opened.read(_LIMIT_BYTES), file)
        except OSError as error:
            raise EnvstageError(f"cannot be read: {error.strerror}", where=file) from None


def mapping_of(data: bytes) -> dict[str, Any]:
    """A YAML mapping; empty where it cannot be read as one."""
    try:
        document = loaded(data, DVC_FILE)
    except EnvstageError:
        return {}
    return document if isinstance(document, dict) else {}


def _stages(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    stages = load_yaml(path).get("stages")
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if isinstance(stage, dict):
            yield str(name), stage


def _usages(file: str, name: str, stage: dict[str, Any]) -> Iterator[tuple[str, Usage]]:
    """What a stage depends on: paths of the project."""
    body = stage.get("do", stage)
    if not isinstance(body, dict):
        return
    folder = posixpath.join(posixpath.dirname(file), str(body.get("wdir") or ""))
    for dep in _listed(body.get("deps")):
        path = next(iter(dep)) if isinstance(dep, dict) and dep else dep
        if not isinstance(path, str):
            continue
        address = name if file == DVC_FILE else f"{file}:{name}"
        is_repeated = "foreach" in stage or "matrix" in stage
        usage = Usage(address=address, file=file, dep=path, is_repeated=is_repeated)
        yield posixpath.normpath(posixpath.join(folder, path)), usage


def _listed(item: Any) -> list[Any]:
    return item if isinstance(item, list) else []


def is_shared(users: tuple[Usage, ...]) -> bool:
    """Whether one run does not speak for all that depend on the view."""
    return len(users) > 1 or any(each.is_repeated for each in users)


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A stage, or an instance of one, as dvc.lock recorded its last run.

    Attributes:
        others: what it depended on besides the view, by name: `its command`, `src/train.py`,
            `params.yaml:lr`; each with a text that another value does not have.
    """

    address: str
    view_md5: str
    others: Mapping[str, str] = {}


def locked_users(root: str, users: tuple[Usage, ...]) -> tuple[Locked, ...]:
    """The last runs of the given stages, by the md5 of the view that they depended on."""
    found: list[Locked] = []
    for usage in users:
        folder = posixpath.dirname(usage.file)
        found.extend(locked_in(load_yaml(os.path.join(root, folder, LOCK_FILE)), usage))
    return tuple(found)


def locked_in(document: dict[str, Any], usage: Usage) -> tuple[Locked, ...]:
    """The same, from the content of a dvc.lock."""
    stages = document.get("stages")
    return tuple(_locked(stages if isinstance(stages, dict) else {}, usage))


def _locked(stages: dict[str, Any], usage: Usage) -> Iterator[Locked]:
    prefix, colon, name = usage.address.rpartition(":")
    for key, entry in stages.items():
        is_instance = usage.is_repeated and str(key).startswith(f"{name}@")
        if key != name and not is_instance:
            continue
        for dep in _listed(entry.get("deps")) if isinstance(entry, dict) else ():
            if isinstance(dep, dict) and dep.get("path") == usage.dep and dep.get("md5"):
                yield Locked(
                    address=f"{prefix}{colon}{key}",
                    view_md5=str(dep["md5"]),
                    others=dict(_others(entry, usage.dep)),
                )


def _others(entry: dict[str, Any], view: str) -> Iterator[tuple[str, str]]:
    yield "its command", str(entry.get("cmd"))
    for dep in _listed(entry.get("deps")):
        if isinstance(dep, dict) and dep.get("path") != view:
            # By whatever digest the place where it lies has: md5, etag, checksum, …
            yield str(dep.get("path")), str(sorted(dep.items(), key=str))
    params = entry.get("params")
    for file, values in params.items() if isinstance(params, dict) else ():
        for key, value in values.items() if isinstance(values, dict) else ():
            yield f"{file}:{key}", str(value)
