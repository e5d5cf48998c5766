"""The DVC stage that is running, from dvc.yaml: its deps, outs and parameters.

dvc.lock does not tell: it is written when the stage has ended, and DVC itself is not imported.
"""

import os
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

from envstage.pipelines import dvc_template
from envstage.pipelines.dvc_usage import DVC_FILE, LOCK_FILE, load_yaml, pipeline_files
from envstage.project import Project
from envstage.receipts.stage import StageFiles
from envstage.world import World

_OUTS: Final = ("outs", "metrics", "plots")
_PARAMS: Final = "params.yaml"


def running_stage(world: World, project: Project) -> StageFiles | None:
    """The stage whose command this is; None where DVC did not start it."""
    address = world.environ.get("DVC_STAGE", "")
    if not address:
        return None
    name = address.rpartition(":")[2]
    for file in pipeline_files(world, project.root):
        folder = os.path.join(project.root, posixpath.dirname(file))
        document = load_yaml(os.path.join(folder, DVC_FILE))
        for stage in _stages(document, name):
            found = _Stage(project.root, file, name, document, stage)
            if found.is_here():
                return found.files(address)
    return StageFiles(address=address, unseen=(f"the stage {address} was not found in dvc.yaml",))


def _stages(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    stages = document.get("stages")
    listed = stages if isinstance(stages, dict) else {}
    # A stage may be called `a@b` by itself; its instances are `template@key`.
    for key in (name, name.partition("@")[0]):
        if isinstance(listed.get(key), dict):
            yield listed[key]


class _Stage:
    """One entry of dvc.yaml, with what its references mean."""

    def __init__(
        self,
        root: str,
        file: str,
        name: str,
        document: Mapping[str, Any],
        stage: Mapping[str, Any],
    ) -> None:
        self._root = root
        self._folder = posixpath.dirname(file)
        self._document = document
        body = stage.get("do")
        self._body = body if isinstance(body, dict) else stage
        place = os.path.join(root, self._folder)
        instance = name.partition("@")[2]
        self._values = dvc_template.values_in(place, document, stage, instance)
        self._unseen: list[str] = []

    def is_here(self) -> bool:
        """Whether its working directory is this one: several dvc.yaml may have the name."""
        place = os.path.join(self._root, self._wdir())
        return os.path.realpath(place) == os.path.realpath(os.getcwd())

    def files(self, address: str) -> StageFiles:
        """Everything that it names."""
        deps = tuple(self._paths("deps"))
        outs = tuple(path for key in _OUTS for path in self._paths(key))
        params = dict(self._params())
        return StageFiles(
            address=address,
            deps=deps,
            outs=outs,
            params=params,
            recorded=self._recorded(),
            unseen=tuple(dict.fromkeys(self._unseen)),
        )

    def _wdir(self) -> str:
        wdir = dvc_template.resolved(str(self._body.get("wdir") or ""), self._values)
        return posixpath.normpath(posixpath.join(self._folder, wdir))

    def _paths(self, key: str) -> Iterator[str]:
        for written in _written(self._body.get(key)):
            path = dvc_template.resolved(written, self._values)
            if not dvc_template.is_resolved(path):
                self._unseen.append(f"{key}: what `{written}` stands for")
            elif "://" in path or os.path.isabs(path):
                self._unseen.append(f"{key}: `{path}` lies outside the project")
            else:
                yield posixpath.normpath(posixpath.join(self._wdir(), path))

    def _params(self) -> Iterator[tuple[str, dict[str, Any]]]:
        wanted: dict[str, list[str] | None] = {}
        for item in self._body.get("params") or ():
            files = item if isinstance(item, dict) else {_PARAMS: [item]}
            for file, keys in files.items():
                known = wanted.get(str(file), [])
                is_whole = keys is None or known is None
                wanted[str(file)] = None if is_whole else [*known, *map(str, keys)]  # type: ignore[misc]
        for file, names in wanted.items():
            path = dvc_template.resolved(file, self._values)
            relative = posixpath.normpath(posixpath.join(self._wdir(), path))
            values = dvc_template.read_params(os.path.join(self._root, relative))
            if not values:
                self._unseen.append(f"params: `{file}` cannot be read here")
            elif names is None:
                yield relative, values
            else:
                found = {name: dvc_template.look_up(name, values) for name in names}
                yield relative, found

    def _recorded(self) -> dict[str, str]:
        """The md5 of data by path, as DVC recorded it: in dvc.lock, and in .dvc files."""
        found: dict[str, str] = {}
        lock = load_yaml(os.path.join(self._root, self._folder, LOCK_FILE))
        for name, entry in _entries(lock.get("stages")):
            for out in entry.get("outs") or ():
                self._record(found, self._folder_of(name), out)
        for path in self._paths("deps"):
            data = load_yaml(os.path.join(self._root, f"{path}.dvc"))
            for out in data.get("outs") or ():
                self._record(found, posixpath.dirname(path), out)
        return found

    def _folder_of(self, name: str) -> str:
        """Where the paths of another stage of the same dvc.yaml start from."""
        stage = next(_stages(self._document, name), {})
        body = stage.get("do", stage)
        wdir = body.get("wdir") if isinstance(body, dict) else ""
        return posixpath.normpath(posixpath.join(self._folder, str(wdir or "")))

    @staticmethod
    def _record(found: dict[str, str], folder: str, out: Any) -> None:
        if isinstance(out, dict) and out.get("path") and out.get("md5"):
            found[posixpath.normpath(posixpath.join(folder, str(out["path"])))] = str(out["md5"])


def _entries(stages: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in stages.items() if isinstance(stages, dict) else ():
        if isinstance(entry, dict):
            yield str(name), entry


def _written(listed: Any) -> Iterator[str]:
    """The paths of a list of deps or outs: texts, or texts with options."""
    for item in listed or ():
        path = next(iter(item), None) if isinstance(item, dict) else item
        if isinstance(path, str):
            yield path
