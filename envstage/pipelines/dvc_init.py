"""Add the provided stage to an existing DVC pipeline."""

import glob
import os
import re
from typing import Final

import msgspec

from envstage import config_file as configuration
from envstage import layout
from envstage.config import Config, Environment
from envstage.errors import EnvstageError
from envstage.pipelines.command import AUTO, capture_command, python_in
from envstage.pipelines.dvc_config import new_config
from envstage.pipelines.dvc_file import (
    DVC_FILE,
    STAGE,
    Stage,
    all_stages,
    require_pipeline,
    tree,
)
from envstage.pipelines.dvc_ignore import (
    add_ignores,
    ignores_bytecode,
    require_visible,
)
from envstage.pipelines.dvc_stage import ours, write_stage
from envstage.pipelines.dvc_track import Choice, StageViews, find_stage, give_view
from envstage.pipelines.plan import Draft, Plan

# Stages that write down the environment once, and are then up to date for ever (dvc.org 2502).
_RECORDS: Final = re.compile(
    r"\bpip3?\s+(?:freeze|list)\b|\b(?:conda|mamba|micromamba)\s+(?:env\s+export|list)\b"
    r"|\buv\s+(?:export|pip\s+(?:freeze|list))\b|\bpoetry\s+export\b|\bpipdeptree\b"
)
_FOLDERS_AT_MOST: Final = 2000


def plan_init(root: str, *, replace: str | None = None) -> Plan:
    """Plan to add the stage `environment` to the pipeline of a DVC repository.

    Args:
        root: the project's folder, which holds dvc.yaml.
        replace: the address of a stage that writes down the environment (`pip freeze`) and goes;
            the stages that depend on its outs get a view instead.

    Raises:
        EnvstageError: no repository, no pipeline, a name or path that is taken or ignored, or a
            file that cannot be edited safely.
    """
    require_pipeline(root)
    draft = Draft(root)
    stages = all_stages(draft)
    victim = _victim(draft, stages, replace)
    kept = tuple(stage for stage in stages if stage != victim)
    _require_free_name(kept)
    _require_unclaimed(root, kept)
    require_visible(root)
    config = _settled(draft, kept)
    if victim is not None:
        config = _replace(draft, config, victim, kept)
    write_stage(draft, config, capture_command(config.environments[0].python))
    add_ignores(draft, tuple(each.name for each in config.environments))
    _mention(draft, kept)
    return draft.plan()


def records_environment(stage: Stage) -> bool:
    """Whether a stage writes down the environment with pip, conda or uv."""
    return any(_RECORDS.search(cmd) for cmd in stage.commands)


# -- what must hold ------------------------------------------------------------------------------


def _require_free_name(stages: tuple[Stage, ...]) -> None:
    for stage in stages:
        if stage.address == STAGE and not stage.is_ours:
            fix = "Rename it"
            if records_environment(stage):
                fix = f"Let envstage take its place with `--replace {STAGE}`, or rename it"
            raise EnvstageError(
                f"a stage `{STAGE}` is there already, and it is not envstage's",
                where=DVC_FILE,
                fix=fix,
            )


def _require_unclaimed(root: str, stages: tuple[Stage, ...]) -> None:
    """Refuse where another stage, or `dvc add`, owns the environment's folder or a part of it."""
    for stage in stages:
        for item in stage.outs:
            if not stage.is_ours and _overlaps(stage.resolved(item)):
                raise EnvstageError(
                    f"the out `{item.path}` claims the folder {layout.FOLDER}/, which envstage "
                    "writes",
                    where=stage.address,
                    fix="Move the out elsewhere",
                )
    folder = os.path.join(glob.escape(root), layout.FOLDER)
    for path in (*glob.glob(folder + ".dvc"), *glob.glob(os.path.join(folder, "**", "*.dvc"))):
        raise EnvstageError(
            f"`dvc add` claims a part of {layout.FOLDER}/, which envstage writes",
            where=os.path.relpath(path, root).replace(os.sep, "/"),
            fix="Move the data elsewhere",
        )
    if os.path.isfile(os.path.join(root, layout.FOLDER)):
        raise EnvstageError(
            "is a file; envstage needs a folder of that name",
            where=layout.FOLDER,
            fix="Rename the file",
        )


def _overlaps(path: str) -> bool:
    if f"/{layout.RECEIPTS}/" in path:  # written by a stage's own guard
        return False
    return bool(path) and (path in (".", layout.FOLDER) or path.startswith(f"{layout.FOLDER}/"))


# -- the configuration ---------------------------------------------------------------------------


def _settled(draft: Draft, stages: tuple[Stage, ...]) -> Config:
    """The project's configuration, or the one that is written now."""
    config = configuration.load(draft.root)
    if configuration.exists(draft.root):
        if config.source == layout.PARAMS_FILE:
            draft.say(
                f"the configuration is in {layout.PARAMS_FILE}: each of its keys is a column of "
                "`dvc exp show`, and under Hydra `dvc exp run -S` deletes the section; "
                f"{layout.CONFIG_FILE} has neither problem"
            )
        return config
    python = _python_of(draft, stages)
    draft.write(layout.CONFIG_FILE, new_config(python))
    return msgspec.structs.replace(config, environments=(Environment(python=python),))


def _python_of(draft: Draft, stages: tuple[Stage, ...]) -> str:
    """The one interpreter that the pipeline's stages start; `auto` if there are several."""
    found: dict[str, str] = {}
    for stage in stages:
        if stage.is_ours or records_environment(stage):
            continue
        for cmd in stage.commands:
            python = python_in(cmd)
            if python and "$" not in python and "`" not in python:
                found.setdefault(stage.from_root(python), stage.address)
    if len(found) > 1:
        listed = ", ".join(f"`{python}` ({address})" for python, address in found.items())
        draft.say(
            f"the stages start several interpreters: {listed}. Give each an environment in "
            f"{layout.CONFIG_FILE}"
        )
        return AUTO
    return next(iter(found), AUTO)


# -- the stage that goes -------------------------------------------------------------------------


def _victim(draft: Draft, stages: tuple[Stage, ...], replace: str | None) -> Stage | None:
    if replace is None:
        return None
    is_there = any(stage.address == replace for stage in stages)
    if ours(draft) is not None and (replace == STAGE or not is_there):
        draft.say(f"`{replace}` is replaced already")
        return None
    victim = find_stage({stage.address: stage for stage in stages}, replace)
    if not records_environment(victim):
        raise EnvstageError(
            "does not write down the environment (no `pip freeze`, `conda env export` or the like)",
            where=victim.address,
            fix="Keep it, and run init without `--replace`",
        )
    return victim


def _replace(draft: Draft, config: Config, victim: Stage, kept: tuple[Stage, ...]) -> Config:
    """Take a stage out, and give those that depend on it a view instead."""
    outs = {victim.resolved(item) for item in victim.outs}
    _require_replaceable(draft, victim, outs, kept)
    views = StageViews(config, kept)
    places = [
        (stage, [item.place for item in stage.deps if stage.resolved(item) in outs])
        for stage in kept
    ]
    users = [(stage, found) for stage, found in places if found]
    for stage, _ in users:
        give_view(draft, views, stage, Choice())
    for stage, found in users:
        for place in reversed(found):
            draft.edits(stage.file).remove(place)
    draft.edits(victim.file).remove(("stages", victim.name))
    listed = ", ".join(sorted(outs))
    draft.say(f"`{victim.address}` goes; what it wrote stays in the folder: {listed}")
    return views.config


def _require_replaceable(
    draft: Draft, victim: Stage, outs: set[str], kept: tuple[Stage, ...]
) -> None:
    used = ""
    if victim.is_repeated or any("$" in path or not path for path in outs):
        used = "it stands for several stages, or its outs are not plain paths"
    for stage in kept:
        for path in outs:
            if any(os.path.basename(path) in cmd for cmd in stage.commands):
                used = f"the command of `{stage.address}` reads {path}"
    root = tree(draft, DVC_FILE)
    for section in ("params", "metrics", "plots", "vars", "artifacts"):
        node = root.child(section) if root is not None else None
        listed = [
            *(node.items if node else ()),
            *(pair[0] for pair in (node.entries if node else ())),
        ]
        names = {(item.entries[0][0] if item.entries else item).value for item in listed}
        if names & outs:
            used = f"`{section}:` of dvc.yaml names {', '.join(sorted(names & outs))}"
    if used:
        raise EnvstageError(
            f"cannot be replaced: {used}",
            where=victim.address,
            fix="Run init without `--replace`, then remove the stage by hand",
        )


# -- what the user should know -------------------------------------------------------------------


def _mention(draft: Draft, stages: tuple[Stage, ...]) -> None:
    for stage in stages:
        if records_environment(stage) and not stage.is_ours:
            draft.say(
                f"`{stage.address}` writes down the environment only once, then DVC skips it for "
                f"ever: `envstage init dvc --replace {stage.address}` puts this stage in its place"
            )
    if ignores_bytecode(draft.root):
        return
    for stage in stages:
        for item in stage.deps:
            path = stage.resolved(item)
            if path and _holds_bytecode(os.path.join(draft.root, path)):
                draft.say(
                    f"`{stage.address}` depends on the folder {path}, and DVC counts the "
                    "__pycache__ in it: add the line `__pycache__/` to .dvcignore"
                )


def _holds_bytecode(path: str) -> bool:
    for count, (_, names, _) in enumerate(os.walk(path)):
        if "__pycache__" in names or count > _FOLDERS_AT_MOST:
            return "__pycache__" in names
    return False
