"""The provided stage: what it holds, and how dvc.yaml gets and keeps it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from envstage import layout
from envstage.config import Config
from envstage.pipelines.dvc_file import (
    DVC_FILE,
    STAGE,
    Stage,
    all_stages,
    is_view,
    stages_in,
    tree,
    view_deps,
)
from envstage.pipelines.plan import Draft
from envstage.pipelines.templates import template
from envstage.pipelines.yaml_tree import Node, Path, parse
from envstage.pipelines.yaml_values import Data, Flow

_OUTS: Final[Path] = ("stages", STAGE, "outs")
_SUMMARY: Final = re.compile(rf"{layout.FOLDER}/(?:[^/]+/)?{re.escape(layout.SUMMARY)}")


def provided_stage(config: Config, cmd: str) -> Mapping[str, Data]:
    """The stage `environment` for a configuration, as the template has it."""
    stage = dict(_template_stage())
    stage["cmd"] = cmd
    stage["outs"] = wanted_outs(config)
    return stage


def wanted_outs(config: Config) -> tuple[Data, ...]:
    """The outs of the stage: the files of each environment, then the views."""
    listed = _template_stage()["outs"]
    own = [out for out in listed if not is_view(_path_of(out))]
    files = [
        {layout.file_of(each.name, path.partition("/")[2]): options}
        for each in config.environments
        for out in own
        for path, options in out.items()
    ]
    options = next(out[_path_of(out)] for out in listed if is_view(_path_of(out)))
    views = [{layout.view_file(view.environment, view.name): options} for view in config.views]
    return (*files, *views)


def ours(draft: Draft) -> Stage | None:
    """The environment's stage, if dvc.yaml has it."""
    for stage in stages_in(draft, DVC_FILE):
        if stage.name == STAGE and stage.is_ours:
            return stage
    return None


def write_stage(draft: Draft, config: Config, cmd: str) -> None:
    """Add the stage and its params, or bring their outs up to date with the configuration."""
    stage = ours(draft)
    if stage is None:
        draft.edits(DVC_FILE).add_entry(("stages",), STAGE, provided_stage(config, cmd))
    else:
        _drop_stale_views(draft, config, stage)
        there = {item.path for item in stage.outs}
        for out in wanted_outs(config):
            if _path_of(out) not in there:
                draft.edits(DVC_FILE).append_item(_OUTS, out)
    listed = {path for path, _ in _params(draft)}
    for environment in config.environments:
        summary = layout.file_of(environment.name, layout.SUMMARY)
        if summary not in listed:
            draft.edits(DVC_FILE).append_item(("params",), summary)


def remove_stage(draft: Draft) -> None:
    """Take the stage and its params out of dvc.yaml."""
    draft.edits(DVC_FILE).remove(("stages", STAGE))
    for path, index in reversed(_params(draft)):
        if _SUMMARY.fullmatch(path):
            draft.edits(DVC_FILE).remove(("params", index))


def _drop_stale_views(draft: Draft, config: Config, stage: Stage) -> None:
    """Drop the outs of views that the configuration no longer names: no capture writes them."""
    named = {layout.view_file(view.environment, view.name) for view in config.views}
    needed = {
        each.resolved(item): each.address for each in all_stages(draft) for item in view_deps(each)
    }
    for item in reversed(stage.outs):
        if not is_view(item.path) or item.path in named:
            continue
        if item.path in needed:
            draft.say(
                f"`{needed[item.path]}` depends on {item.path}, but no view of that name is "
                "configured: add it, or remove the dependency"
            )
        else:
            draft.edits(DVC_FILE).remove(item.place)


def _params(draft: Draft) -> list[tuple[str, int]]:
    """The files among dvc.yaml's own `params:`, with their places."""
    root = tree(draft, DVC_FILE)
    node = root.child("params") if root is not None else None
    items = node.items if node is not None else ()
    return [
        ((item.entries[0][0] if item.entries else item).value, index)
        for index, item in enumerate(items)
    ]


def _template_stage() -> dict[str, Any]:
    root = parse(template("dvc", DVC_FILE), name=DVC_FILE)
    node = root.at(("stages", STAGE)) if root is not None else None
    assert node is not None, "the template holds the stage"
    stage: dict[str, Any] = _data(node)
    return stage


def _data(node: Node) -> Any:
    """A tree as data to write, in the same styles."""
    if node.kind == "mapping":
        pairs = {key.value: _data(value) for key, value in node.entries}
        return Flow(pairs) if node.is_flow else pairs
    if node.kind == "sequence":
        return tuple(_data(item) for item in node.items)
    if node.value in ("true", "false"):
        return node.value == "true"
    return int(node.value) if node.value.isdigit() else node.value


def _path_of(out: Any) -> str:
    return out if isinstance(out, str) else str(next(iter(out)))
