"""Give stages their views: configuration, the environment stage's out, the stage's dep."""

import difflib
import functools
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from envstage import config_file as configuration
from envstage import layout
from envstage.config import Config, View
from envstage.errors import EnvstageError
from envstage.pipelines.command import AUTO, capture_command, guarded, interpreter_of
from envstage.pipelines.dvc_config import Views, file_of
from envstage.pipelines.dvc_file import (
    DVC_FILE,
    Stage,
    all_stages,
    require_plain_wdir,
    view_deps,
)
from envstage.pipelines.dvc_receipt import add_receipt, receipt_for
from envstage.pipelines.dvc_stage import ours, write_stage
from envstage.pipelines.plan import Draft, Plan
from envstage.snapshot.model import Level

NAME_AT_MOST = 100


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """How stages are tracked."""

    environment: str = layout.MAIN
    level: Level | None = None
    guard: bool = False
    receipt: bool = False


class StageViews(Views):
    """The configured views and the stages' deps, as one stage after the other gets its view."""

    def __init__(self, config: Config, stages: Iterable[Stage]) -> None:
        super().__init__(config)
        self._stages = tuple(stages)
        self._given: dict[str, str] = {}

    def users(self, path: str) -> Iterator[str]:
        """The addresses of the stages that depend on a view's file."""
        yield from self._users.get(path, ())
        if path in self._given:
            yield self._given[path]

    def give(self, draft: Draft, view: View, stage: Stage) -> None:
        """Write a view into the configuration, unless it is there; a stage depends on it now."""
        self._given[file_of(view)] = stage.address
        if self.named(view.name) is None:
            self.add(draft, view)

    @functools.cached_property
    def _users(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for stage in self._stages:
            for item in stage.deps:
                found.setdefault(stage.resolved(item), []).append(stage.address)
        return found


def plan_track(
    root: str,
    stages: tuple[str, ...],
    *,
    environment: str = layout.MAIN,
    level: Level | None = None,
    guard: bool = False,
    receipt: bool = False,
) -> Plan:
    """Plan to make stages depend on the environment.

    Args:
        root: the project's folder.
        stages: addresses as DVC writes them: `train`, `sub/dvc.yaml:train`.
        environment: the environment whose snapshot the views project.
        level: from which level on facts count; nothing leaves it to the environment.
        guard: whether to put `envstage run --view … --` before the stages' commands.
        receipt: whether the guard writes a receipt, which is an out of the stage.

    Raises:
        EnvstageError: no stage of that address, no environment stage, a name that clashes, or a
            file that cannot be edited safely.
    """
    draft = Draft(root)
    config = configuration.load(root)
    if ours(draft) is None:
        raise EnvstageError(
            "the pipeline has no environment stage", where=DVC_FILE, fix="Run `envstage init dvc`"
        )
    known = {stage.address: stage for stage in all_stages(draft)}
    views = StageViews(config, known.values())
    choice = Choice(environment=environment, level=level, guard=guard, receipt=receipt)
    for address in dict.fromkeys(stages):
        give_view(draft, views, find_stage(known, address), choice)
    config = views.config
    python = config.environment(layout.MAIN).python if _has_main(config) else AUTO
    write_stage(draft, config, capture_command(python))
    return draft.plan()


def find_stage(known: Mapping[str, Stage], address: str) -> Stage:
    """The stage of an address, of those that are known by theirs.

    Raises:
        EnvstageError: there is none, it is one instance of several, or it is the environment's.
    """
    wanted = posixpath.normpath(address.removeprefix(f"{DVC_FILE}:"))
    stage = known.get(wanted)
    if stage is not None:
        if stage.is_ours:
            raise EnvstageError(
                "this is the environment's own stage", where=address, fix="Name another"
            )
        return stage
    template = wanted.rpartition("@")[0]
    if template in known:
        raise EnvstageError(
            "one instance cannot be tracked alone: all are written as one stage",
            where=address,
            fix=f"Track `{template}`",
        )
    addresses = [address for address, stage in known.items() if not stage.is_ours]
    near = difflib.get_close_matches(wanted, addresses, n=1, cutoff=0.5)
    listed = ", ".join(addresses[:10]) or "none"
    raise EnvstageError(
        f"there is no stage `{address}`",
        where=DVC_FILE,
        fix=f"Did you mean `{near[0]}`?" if near else f"Stages: {listed}",
    )


def give_view(draft: Draft, views: StageViews, stage: Stage, choice: Choice) -> None:
    """Make one stage depend on its view."""
    view = _view_for(views, stage, choice)
    views.give(draft, view, stage)
    file = file_of(view)
    require_plain_wdir(stage, file)
    if not view_deps(stage):
        draft.edits(stage.file).append_item((*stage.body, "deps"), stage.path_to(file))
    if choice.guard:
        receipt = receipt_for(stage, view) if choice.receipt else ""
        if _guard(draft, stage, view.name, receipt) and receipt:
            add_receipt(draft, stage, view, receipt)
    _mention(draft, views.config, stage, view)


def view_name(stage: Stage) -> str:
    """A stage's name as a file's: `train`, `sub-train` for `sub/dvc.yaml:train`."""
    parts = [part for part in posixpath.dirname(stage.file).split("/") if part]
    words = "-".join([*parts, stage.name])
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", words).strip("-._")
    if len(name) > NAME_AT_MOST or not name:
        digest = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        name = f"{name or 'stage'}"[: NAME_AT_MOST - 9] + f"-{digest}"
    return name


def _view_for(views: StageViews, stage: Stage, choice: Choice) -> View:
    """The view that the stage depends on, the configured one of its name, or a new one."""
    tracked = view_deps(stage)
    if tracked:
        path = stage.resolved(tracked[0])
        there = views.at(path)
        if there is not None:
            return there
        name = posixpath.basename(path).removesuffix(".json")
        folder = posixpath.basename(posixpath.dirname(posixpath.dirname(path)))
        environment = layout.MAIN if folder == layout.FOLDER else folder
        return View(name=name, environment=environment, level=choice.level)
    views.config.environment(choice.environment)
    name = view_name(stage)
    views.require_free(name)
    there = views.named(name)
    if there is None:
        return View(name=name, environment=choice.environment, level=choice.level)
    _require_unused(views, there, stage, choice)
    return there


def _require_unused(views: StageViews, view: View, stage: Stage, choice: Choice) -> None:
    if view.environment != choice.environment:
        raise EnvstageError(
            f"the view `{view.name}` belongs to the environment `{view.environment}`, "
            f"not to `{choice.environment}`",
            where=stage.address,
            fix="Change the environment in the configuration, or name that one",
        )
    for other in views.users(file_of(view)):
        if other != stage.address:
            raise EnvstageError(
                f"its view would be `{view.name}`, which is that of `{other}`",
                where=stage.address,
                fix="Rename one of the stages, or add the dep by hand if they may share a view",
            )


def _guard(draft: Draft, stage: Stage, view: str, receipt: str) -> bool:
    """Put the guard before every command; whether it stands there."""
    commands = stage.commands
    for index, cmd in enumerate(commands):
        # Every command of a list: any of them may start a Python that nobody can see from here.
        part = f"{index + 1}/{len(commands)}" if len(commands) > 1 else ""
        after = guarded(cmd, view, part, receipt)
        if after is None:
            draft.say(
                f"`{stage.address}` is not guarded: its command mixes shell syntax with ${{…}}. "
                f"Put it into a script, or write `envstage run --view {view} --` by hand"
            )
            return False
    for index, cmd in enumerate(commands):
        part = f"{index + 1}/{len(commands)}" if len(commands) > 1 else ""
        place = (*stage.body, "cmd") if isinstance(stage.cmd, str) else (*stage.body, "cmd", index)
        after = guarded(cmd, view, part, receipt) or cmd
        draft.edits(stage.file).replace_scalar(place, after)
    return True


def _mention(draft: Draft, config: Config, stage: Stage, view: View) -> None:
    if stage.is_frozen:
        draft.say(f"`{stage.address}` is frozen: DVC does not run it, whatever changes")
    if stage.is_repeated:
        draft.say(
            f"`{stage.address}` stands for several stages: they share the view `{view.name}`, "
            "which no single run narrows"
        )
    started = (stage.from_root(interpreter_of(cmd)) for cmd in stage.commands)
    python = next((each for each in started if each != AUTO), AUTO)
    settled = config.environment(view.environment).python
    if python not in (AUTO, settled):
        other = f"`{settled}`" if settled != AUTO else "`python` on PATH"
        draft.say(
            f"`{stage.address}` starts `{python}`, but the environment `{view.environment}` is "
            f"that of {other}: unless both are one, what changes there reruns nothing. Give it an "
            f"environment of its own in {layout.CONFIG_FILE}, and track it with `-e`"
        )


def _has_main(config: Config) -> bool:
    return any(each.name == layout.MAIN for each in config.environments)
