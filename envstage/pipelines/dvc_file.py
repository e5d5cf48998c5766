"""dvc.yaml as envstage reads it: stages, what they depend on and what they claim."""

import os
import posixpath
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from envstage import config_file as configuration
from envstage import layout
from envstage.errors import EnvstageError
from envstage.pipelines.plan import Draft
from envstage.pipelines.yaml_tree import Node, Path, parse
from envstage.project import find_root

DVC_FILE: Final = "dvc.yaml"
STAGE: Final = "environment"
MARK: Final = "envstage"
"""The key under a stage's `meta:` that says that the stage is ours."""

_VIEW: Final = re.compile(rf"{layout.FOLDER}/(?:[^/]+/)?{layout.VIEWS}/[^/]+\.json")
_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|/|~|[A-Za-z]:[\\/]")
_SKIPPED: Final = frozenset({"node_modules", "site-packages", "__pycache__", "venv"})


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `deps`, `outs` and the like: its path as written, and where it stands."""

    path: str
    place: Path


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage as it is written. A `foreach` or `matrix` stage stands for several."""

    file: str
    name: str
    body: Path
    """Where its `cmd` and `deps` are: below `do:` for `foreach`."""
    cmd: str | tuple[str, ...] = ""
    wdir: str = ""
    deps: tuple[Item, ...] = ()
    outs: tuple[Item, ...] = ()
    is_repeated: bool = False
    instance: str = ""
    """What tells its instances apart in a path: `${item}`, `${key}`; empty where nothing does."""
    is_frozen: bool = False
    is_ours: bool = False

    @property
    def address(self) -> str:
        """What people and DVC call it: `train`, `sub/dvc.yaml:train`."""
        return self.name if self.file == DVC_FILE else f"{self.file}:{self.name}"

    @property
    def commands(self) -> tuple[str, ...]:
        """Its command, or the commands of its list."""
        return (self.cmd,) if isinstance(self.cmd, str) else self.cmd

    @property
    def folder(self) -> str:
        """Where its paths start from, relative to the project."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.file), self.wdir))

    def resolved(self, item: Item) -> str:
        """A path of the stage relative to the project; empty if it lies elsewhere."""
        if _ELSEWHERE.match(item.path):
            return ""
        return posixpath.normpath(posixpath.join(self.folder, item.path))

    def from_root(self, python: str) -> str:
        """An interpreter's path as it reads from the project's folder, not from the stage's."""
        if " " in python or "/" not in python or python[0] in "/~" or "$" in self.wdir:
            return python
        return posixpath.normpath(posixpath.join(self.folder, python))

    def path_to(self, path: str) -> str:
        """A path of the project as the stage has to write it."""
        return posixpath.relpath(path, self.folder)


def stages_in(draft: Draft, file: str) -> tuple[Stage, ...]:
    """The stages of one dvc.yaml, as the draft has it.

    Raises:
        EnvstageError: it is not YAML.
    """
    root = tree(draft, file)
    stages = root.child("stages") if root else None
    if stages is None:
        return ()
    return tuple(
        _stage(file, key.value, value) for key, value in stages.entries if value.kind == "mapping"
    )


def all_stages(draft: Draft) -> tuple[Stage, ...]:
    """The stages of every dvc.yaml of the project."""
    return tuple(stage for file in pipeline_files(draft.root) for stage in stages_in(draft, file))


def tree(draft: Draft, file: str) -> Node | None:
    """The tree of a file of the draft; nothing if it is empty or not there."""
    text = draft.read(file)
    return None if text is None else parse(text.removeprefix("\ufeff"), name=file)


def pipeline_files(root: str) -> tuple[str, ...]:
    """Every dvc.yaml below the project, its own first. Hidden folders are not looked into."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(
            name
            for name in names
            if not name.startswith(".")
            and name not in _SKIPPED
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
            and not os.path.exists(os.path.join(folder, name, ".dvc"))
        )
        if DVC_FILE in files:
            found.append(os.path.relpath(os.path.join(folder, DVC_FILE), root).replace(os.sep, "/"))
    return tuple(found)


def require_pipeline(root: str) -> None:
    """Refuse a folder that holds no dvc.yaml or lies in no DVC repository."""
    folder = os.path.realpath(root)
    while not os.path.isdir(os.path.join(folder, ".dvc")):
        above = os.path.dirname(folder)
        if above == folder:
            raise EnvstageError(
                "no DVC repository here or above (no folder .dvc)",
                fix="Run `dvc init`, or change into the repository",
            )
        folder = above
    if not os.path.isfile(os.path.join(root, DVC_FILE)):
        below = [posixpath.dirname(file) for file in pipeline_files(root)]
        start = "`dvc stage add -n train -d train.py -o model python train.py`"
        raise EnvstageError(
            "no pipeline here: there is no dvc.yaml in this folder",
            fix=f"Change into the folder that holds it ({', '.join(below[:5])})"
            if below
            else f"Change into the folder that holds it, or start one with {start}",
        )


def pipeline_root(start: str) -> str:
    """The project around a folder; a new one is where the pipeline is.

    In a repository of several pipelines, whose top has none, each is a project of its own.

    Raises:
        EnvstageError: there is no repository.
    """
    root = find_root(start)
    if configuration.exists(root) or os.path.isfile(os.path.join(root, DVC_FILE)):
        return root
    folder = os.path.abspath(start)
    while folder != root and not os.path.isfile(os.path.join(folder, DVC_FILE)):
        folder = os.path.dirname(folder)
    return folder


def is_view(path: str) -> bool:
    """Whether a path of the project is that of a view."""
    return _VIEW.fullmatch(path) is not None


def view_deps(stage: Stage) -> tuple[Item, ...]:
    """The stage's deps that are views."""
    return tuple(item for item in stage.deps if is_view(stage.resolved(item)))


def require_plain_wdir(stage: Stage, view_file: str) -> None:
    """Refuse a stage whose working directory only DVC knows."""
    if "${" in stage.wdir or _ELSEWHERE.match(stage.wdir):
        raise EnvstageError(
            f"the working directory `{stage.wdir}` is not a plain path in the project",
            where=stage.address,
            fix=f"Add by hand under `deps:` the path from there to {view_file}",
        )


def _stage(file: str, name: str, node: Node) -> Stage:
    body_path: Path = ("stages", name)
    inner = node.child("do")
    body = node
    if inner is not None and node.child("foreach") is not None:
        body, body_path = inner, (*body_path, "do")
    return Stage(
        file=file,
        name=name,
        body=body_path,
        cmd=_cmd(body.child("cmd")),
        wdir=_text(body.child("wdir")),
        deps=tuple(_items(body, body_path, "deps")),
        outs=tuple(
            item for key in ("outs", "metrics", "plots") for item in _items(body, body_path, key)
        ),
        is_repeated=body is not node or node.child("matrix") is not None,
        instance=_instance(node),
        is_frozen=_text(body.child("frozen")) == "true",
        is_ours=body.at(("meta", MARK)) is not None,
    )


def _instance(node: Node) -> str:
    """How DVC writes what an instance stands for, where that is one plain word."""
    data = node.child("foreach")
    if node.child("matrix") is not None or (data is not None and data.kind == "mapping"):
        return "${key}"
    is_plain = data is not None and data.items and all(each.kind == "scalar" for each in data.items)
    return "${item}" if is_plain else ""


def _items(body: Node, path: Path, key: str) -> Iterator[Item]:
    node = body.child(key)
    for index, item in enumerate(node.items if node is not None else ()):
        # An item is a path, or a path with its options: `model: {cache: false}`.
        written = item.entries[0][0] if item.entries else item
        if written.kind == "scalar":
            yield Item(path=written.value, place=(*path, key, index))


def _cmd(node: Node | None) -> str | tuple[str, ...]:
    if node is not None and node.kind == "sequence":
        return tuple(_text(item) for item in node.items)
    return _text(node)


def _text(node: Node | None) -> str:
    return node.value if node is not None and node.kind == "scalar" else ""
