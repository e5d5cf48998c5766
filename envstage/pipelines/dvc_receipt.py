"""A stage's receipt in dvc.yaml: a cached out, which the run cache brings back with the rest."""

from envstage import layout
from envstage.config import View
from envstage.errors import EnvstageError
from envstage.pipelines.command import receipt_in
from envstage.pipelines.dvc_file import Stage
from envstage.pipelines.dvc_ignore import with_line, without_line
from envstage.pipelines.plan import Draft

_IGNORED = f"/{layout.RECEIPTS}"


def receipt_for(stage: Stage, view: View) -> str:
    """Where the receipt of a stage goes, as the stage writes the path.

    Raises:
        EnvstageError: its instances cannot be told apart in a path.
    """
    written = next(filter(None, map(receipt_in, stage.commands)), "")
    if written:
        return written
    if stage.is_repeated and not stage.instance:
        raise EnvstageError(
            "its instances have no plain name that a receipt could have",
            where=stage.address,
            fix="Write `--receipt PATH` into the command and the path under `outs:` by hand",
        )
    return stage.path_to(layout.receipt_file(view.environment, view.name, stage.instance))


def add_receipt(draft: Draft, stage: Stage, view: View, receipt: str) -> None:
    """Make the receipt an out of the stage. It is DVC's, and stays out of Git."""
    if receipt not in {item.path for item in stage.outs}:
        draft.edits(stage.file).append_item((*stage.body, "outs"), receipt)
        draft.say(f"`{stage.address}` runs once more: its command and its outs changed")
    # Committed with the rest: what DVC writes itself it takes back when a later stage fails.
    ignore = layout.file_of(view.environment, layout.IGNORE)
    draft.write(ignore, with_line(draft.read(ignore), _IGNORED))


def drop_ignored(draft: Draft, environments: tuple[str, ...]) -> None:
    """Take the line for receipts out of the environments' ignore files."""
    for environment in environments:
        path = layout.file_of(environment, layout.IGNORE)
        text = draft.read(path)
        if text:
            draft.write(path, without_line(text, _IGNORED))


def drop_receipts(draft: Draft, stage: Stage) -> None:
    """Take the receipts of a stage's guards out of its outs."""
    written = {receipt_in(cmd) for cmd in stage.commands} - {""}
    for item in reversed(stage.outs):
        if item.path in written:
            draft.edits(stage.file).remove(item.place)
