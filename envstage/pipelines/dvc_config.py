"""The configuration as init and track write it."""

import msgspec

from envstage import layout
from envstage.config import Config, Environment, View
from envstage.errors import EnvstageError
from envstage.pipelines.plan import Draft
from envstage.pipelines.yaml_tree import Path
from envstage.pipelines.yaml_values import Data, Flow, inline
from envstage.snapshot.model import Level

_HEADER = """\
# envstage: the environments of this pipeline, and what each stage depends on.
#
# environments: which interpreter, and from which level on a fact counts: software (versions),
#   platform (and operating system, builds, CUDA libraries), hardware (and CPU, GPU, driver).
# views: what a stage depends on; `envstage track STAGE` adds them.
"""


def new_config(python: str) -> str:
    """The configuration that init writes: one environment, no views yet."""
    main = inline(Flow({"python": python, "level": Level.PLATFORM.word}))
    return f"{_HEADER}environments:\n  {layout.MAIN}: {main}\n"


def add_view(draft: Draft, config: Config, view: View) -> Config:
    """Write a view into the configuration, wherever that is.

    A level above the environment's raises the environment's; the other views of that
    environment then get the level that they had, so that nothing reruns for it.
    """
    environment = config.environment(view.environment)
    if view.level is not None and view.level > environment.level:
        config = _raise_level(draft, config, environment, view.level)
    options: dict[str, Data] = {}
    if view.environment != layout.MAIN:
        options["environment"] = view.environment
    if view.level is not None:
        options["level"] = view.level.word
    _add(draft, config, ("views",), view.name, Flow(options))
    return msgspec.structs.replace(config, views=(*config.views, view))


def _raise_level(draft: Draft, config: Config, environment: Environment, level: Level) -> Config:
    views = []
    for view in config.views:
        if view.environment == environment.name and view.level is None:
            view = msgspec.structs.replace(view, level=environment.level)
            _set(draft, config, ("views", view.name), "level", environment.level.word)
        views.append(view)
    _set(draft, config, ("environments", environment.name), "level", level.word)
    draft.say(
        f"the environment `{environment.name}` is captured up to the level {level.word} from now "
        f"on; its other views stay at {environment.level.word}"
    )
    raised = msgspec.structs.replace(environment, level=level)
    kept = tuple(raised if each == environment else each for each in config.environments)
    return msgspec.structs.replace(config, environments=kept, views=tuple(views))


def _add(draft: Draft, config: Config, path: Path, key: str, value: Data) -> None:
    file, above = _place(config)
    if not draft.has(file):
        draft.write(file, new_config("auto"))
    draft.edits(file).add_entry((*above, *path), key, value)


def _set(draft: Draft, config: Config, path: Path, key: str, word: str) -> None:
    file, above = _place(config)
    edits = draft.edits(file)
    if edits.has((*above, *path, key)):
        edits.replace_scalar((*above, *path, key), word)
    else:
        _add(draft, config, path, key, word)


def _place(config: Config) -> tuple[str, Path]:
    if config.source == layout.PARAMS_FILE:
        return layout.PARAMS_FILE, ("envstage",)
    return layout.CONFIG_FILE, ()


def require_free(config: Config, view: View) -> None:
    """Refuse a view whose name cannot be told from another's on every file system."""
    for other in config.views:
        if other.name != view.name and other.name.casefold() == view.name.casefold():
            raise EnvstageError(
                f"the view `{view.name}` would be the same file as `{other.name}` on some systems",
                where=config.source or layout.CONFIG_FILE,
                fix="Rename the stage or the view",
            )
