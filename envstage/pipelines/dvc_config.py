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


class Views:
    """The configured views, and those that are added, found without going through them all."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._by_name: dict[str, int] = {}
        self._by_file: dict[str, int] = {}
        self._by_folded: dict[str, list[str]] = {}
        for number, view in enumerate(config.views):
            self._know(number, view)

    def named(self, name: str) -> View | None:
        """The view of a name."""
        return self._numbered(self._by_name.get(name))

    def at(self, path: str) -> View | None:
        """The view whose file is there."""
        return self._numbered(self._by_file.get(path))

    def require_free(self, name: str) -> None:
        """Refuse a view whose name cannot be told from another's on every file system."""
        for other in self._by_folded.get(name.casefold(), ()):
            if other != name:
                raise EnvstageError(
                    f"the view `{name}` would be the same file as `{other}` on some systems",
                    where=self.config.source or layout.CONFIG_FILE,
                    fix="Rename the stage or the view",
                )

    def add(self, draft: Draft, view: View) -> None:
        """Write a view into the configuration, wherever that is."""
        self.config = _add_view(draft, self.config, view)
        self._know(len(self.config.views) - 1, view)

    def _know(self, number: int, view: View) -> None:
        self._by_name[view.name] = self._by_file[file_of(view)] = number
        self._by_folded.setdefault(view.name.casefold(), []).append(view.name)

    def _numbered(self, number: int | None) -> View | None:
        return None if number is None else self.config.views[number]


def file_of(view: View) -> str:
    """Where the capture writes a view."""
    return layout.view_file(view.environment, view.name)


def _add_view(draft: Draft, config: Config, view: View) -> Config:
    """The configuration with one more view, which is written.

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
