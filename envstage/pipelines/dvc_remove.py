"""Take the provided stage, the views and the guards out of a DVC pipeline."""

import os

from envstage import config_file as configuration
from envstage import layout
from envstage.errors import EnvstageError
from envstage.pipelines.command import is_guarded, unguarded
from envstage.pipelines.dvc_config import new_config
from envstage.pipelines.dvc_file import DVC_FILE, Stage, all_stages, require_pipeline, view_deps
from envstage.pipelines.dvc_ignore import remove_ignores
from envstage.pipelines.dvc_receipt import drop_ignored, drop_receipts
from envstage.pipelines.dvc_stage import ours, remove_stage
from envstage.pipelines.plan import Draft, Plan


def plan_remove(root: str) -> Plan:
    """Plan to undo `plan_init` and `plan_track`.

    The folder `environment/` stays, and so does a configuration that was changed since init wrote
    it: both are the user's. A message says so.
    """
    require_pipeline(root)
    draft = Draft(root)
    if ours(draft) is None:
        raise EnvstageError("there is no environment stage of envstage here", where=DVC_FILE)
    config = configuration.load(root)
    for stage in all_stages(draft):
        _release(draft, stage)
    remove_stage(draft)
    names = tuple(each.name for each in config.environments)
    drop_ignored(draft, names)
    remove_ignores(draft, names)
    text = draft.read(layout.CONFIG_FILE)
    if text is not None and text == new_config(config.environments[0].python):
        draft.write(layout.CONFIG_FILE, None)
    elif config.source:
        draft.say(f"{config.source} keeps envstage's settings: delete them if nothing needs them")
    if os.path.isdir(os.path.join(root, layout.FOLDER)):
        draft.say(f"{layout.FOLDER}/ stays: `git rm -r {layout.FOLDER}` removes it")
    return draft.plan()


def _release(draft: Draft, stage: Stage) -> None:
    """Take views and guards out of a stage."""
    for item in reversed(view_deps(stage)):
        draft.edits(stage.file).remove(item.place)
    drop_receipts(draft, stage)
    for index, cmd in enumerate(stage.commands):
        if is_guarded(cmd) and not stage.is_ours:
            place = (*stage.body, "cmd")
            place = place if isinstance(stage.cmd, str) else (*place, index)
            draft.edits(stage.file).replace_scalar(place, unguarded(cmd))
            draft.say(
                f"`{stage.address}` loses its guard: DVC runs it once more, its command changed"
            )
