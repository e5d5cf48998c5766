"""Add the provided rule to an existing Snakemake workflow, and take it out again."""

import os
import re
from typing import Final

from envstage import config_file as configuration
from envstage import layout
from envstage.config import NAME, Config, View
from envstage.errors import EnvstageError
from envstage.pipelines.dvc_config import Views, new_config
from envstage.pipelines.dvc_ignore import (
    GIT_IGNORE,
    STATE_LINE,
    remove_ignores,
    with_line,
)
from envstage.pipelines.plan import Draft, Plan
from envstage.pipelines.snakemake_file import Rule, all_rules, place_of_rules, require_snakefile

IMPORT: Final = "import envstage"
INCLUDE: Final = "include: envstage.snakefile()"
_IGNORES: Final = "".join(f"{line}\n" for line in layout.IGNORED)
_USED: Final = re.compile(r"^[^\S\n]*(?:include|snakefile)\s*:\s*envstage\.snakefile\(\)", re.M)
_OWN: Final = re.compile(
    rf"^{re.escape(IMPORT)}[^\S\n]*\r?\n{re.escape(INCLUDE)}[^\S\n]*(?:\r?\n|\Z)(?:\r?\n)?", re.M
)


def plan_init(root: str) -> Plan:
    """Plan to add the provided rule to the workflow of a folder.

    Raises:
        EnvstageError: there is no Snakefile, or one that cannot be understood.
    """
    draft = Draft(root)
    file = require_snakefile(draft)
    text = draft.read(file) or ""
    rules = _tracked(all_rules(draft, file))
    if not _USED.search(text):
        place = place_of_rules(text, file)
        newline = "\r\n" if "\r\n" in text else "\n"
        gap = newline if text[:place] and not text[:place].endswith("\n") else ""
        lines = f"{gap}{IMPORT}{newline}{INCLUDE}{newline}{newline}"
        draft.write(file, text[:place] + lines + text[place:])
    config = configuration.load(root)
    if not configuration.exists(root):
        draft.write(layout.CONFIG_FILE, new_config("auto"))
    views = Views(config)
    for rule in rules:
        if views.named(rule.name) is None and not _views_in(rule):
            views.require_free(rule.name)
            views.add(draft, View(name=rule.name))
    draft.write(GIT_IGNORE, with_line(draft.read(GIT_IGNORE), STATE_LINE))
    for environment in config.environments:
        path = layout.file_of(environment.name, layout.IGNORE)
        kept = draft.read(path)
        for line in layout.IGNORED:
            kept = with_line(kept, line)
        draft.write(path, kept)
    for rule in rules:
        _advise(draft, rule)
    return draft.plan()


def plan_remove(root: str) -> Plan:
    """Plan to undo `plan_init`. The folder `environment/` and what it says stay."""
    draft = Draft(root)
    file = require_snakefile(draft)
    text = draft.read(file) or ""
    if not _USED.search(text):
        raise EnvstageError("the provided rule is not in here", where=file)
    without = _OWN.sub("", text, count=1)
    if _USED.search(without):
        raise EnvstageError(
            "the provided rule stands there in another form than init writes",
            where=file,
            fix="Delete its lines by hand",
        )
    draft.write(file, without)
    rules = _tracked(all_rules(draft, file))
    _remove_config(draft, rules)
    config = configuration.load(root)
    remove_ignores(draft, tuple(each.name for each in config.environments), _IGNORES)
    for rule in rules:
        for path in _views_in(rule):
            draft.say(f"rule {rule.name} ({rule.file}): delete {path} from its `input:`")
        if rule.is_guarded:
            draft.say(
                f"rule {rule.name} ({rule.file}): delete `envstage run --view … --` before its "
                "command, which has no view any more"
            )
    if os.path.isdir(os.path.join(root, layout.FOLDER)):
        draft.say(f"{layout.FOLDER}/ stays: `git rm -r {layout.FOLDER}` removes it")
    return draft.plan()


def _tracked(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that do something, and whose name can be a view's."""
    return tuple(rule for rule in rules if rule.action and NAME.fullmatch(rule.name))


def _views_in(rule: Rule) -> list[str]:
    return [text for text in rule.inputs if text.startswith(f"{layout.FOLDER}/")]


def _advise(draft: Draft, rule: Rule) -> None:
    path = layout.view_file(layout.MAIN, rule.name)
    if _views_in(rule):
        return
    draft.say(f'rule {rule.name} ({rule.file}): add to its `input:`  environment="{path}",')
    if rule.action == "shell":
        draft.say(
            f"rule {rule.name}: and, so that it depends on what it uses alone, before its command"
            f"  envstage run --view {rule.name} --"
        )


def _remove_config(draft: Draft, rules: tuple[Rule, ...]) -> None:
    text = draft.read(layout.CONFIG_FILE)
    fresh = Draft(os.devnull)
    fresh.write(layout.CONFIG_FILE, new_config("auto"))
    views = Views(Config(source=layout.CONFIG_FILE))
    for rule in rules:
        views.add(fresh, View(name=rule.name))
    if text is not None and text == fresh.read(layout.CONFIG_FILE):
        draft.write(layout.CONFIG_FILE, None)
    elif text is not None:
        draft.say(f"{layout.CONFIG_FILE} stays: delete it if nothing needs it")
