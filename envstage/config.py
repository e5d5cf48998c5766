"""The configuration, typed and checked: `envstage.yaml`, or `envstage:` in params.yaml.

Read from YAML's nodes rather than from loaded objects: every complaint names its line and key,
and a scalar is what is written (`python: 3.10` is the text `3.10`, not the number 3.1).
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from envstage import layout
from envstage.errors import EnvstageError
from envstage.snapshot.model import LEVELS, Level

LIMIT_BYTES: Final = 1024 * 1024
LIMIT_DEPTH: Final = 32
COLUMNS_AT_MOST: Final = 8
TOLERANCES: Final = ("exact", "major.minor", "major", "ignore")
DEFAULT_COLUMNS: Final = (
    "python.version",
    "system.distribution",
    "hardware.gpu.models",
    "hardware.gpu.driver",
)
# A name is a file name, a wildcard in a Snakefile and a word on the command line.
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Names of files and folders that stand in an environment's folder, so cannot name a sub-folder.
TAKEN: Final = frozenset({layout.VIEWS, layout.FACETS})

T = TypeVar("T")


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter and the machines that it belongs to."""

    name: str = layout.MAIN
    python: str = "auto"
    level: Level = Level.PLATFORM
    where: tuple[tuple[str, str], ...] = ()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Which facts one stage depends on."""

    name: str
    environment: str = layout.MAIN
    level: Level | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tolerance: tuple[tuple[str, str], ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a user can set, with its defaults."""

    source: str = ""
    environments: tuple[Environment, ...] = (Environment(),)
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    watch: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    image: str | None = None
    verify: bool = False
    timeout_s: int = 60
    views: tuple[View, ...] = ()

    def environment(self, name: str) -> Environment:
        """The environment of that name."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        raise _unknown("environment", name, [each.name for each in self.environments], self.source)

    def view(self, name: str) -> View:
        """The view of that name."""
        for view in self.views:
            if view.name == name:
                return view
        raise _unknown("view", name, [each.name for each in self.views], self.source)

    def views_of(self, environment: str) -> tuple[View, ...]:
        """The views that project the snapshot of an environment."""
        return tuple(view for view in self.views if view.environment == environment)


def load(root: str) -> Config:
    """Read the project's configuration; the defaults where nothing is written.

    Args:
        root: the project's folder.

    Raises:
        EnvstageError: unreadable, malformed or contradictory, with file, line and key.
    """
    own = _compose(os.path.join(root, layout.CONFIG_FILE), layout.CONFIG_FILE)
    params = _params_section(root)
    if own is not None and params is not None:
        raise EnvstageError(
            f"both {layout.CONFIG_FILE} and a section `envstage:` are there",
            where=f"{layout.PARAMS_FILE}:{params.line}",
            fix="Keep one of them: delete the section or the file",
        )
    section = own or params
    return Config() if section is None else _config(section)


def exists(root: str) -> bool:
    """Whether the folder holds a configuration of ours."""
    if os.path.isfile(os.path.join(root, layout.CONFIG_FILE)):
        return True
    path = os.path.join(root, layout.PARAMS_FILE)
    try:
        with open(path, "rb") as file:
            return re.search(rb"^envstage\s*:", file.read(LIMIT_BYTES), re.MULTILINE) is not None
    except OSError:
        return False


class Node:
    """A YAML node with its place, read with complaints that name it."""

    def __init__(self, node: Any, file: str, path: tuple[str, ...] = ()) -> None:
        self.node = node
        self.file = file
        self.path = path

    @property
    def line(self) -> int:
        """The line where it starts, counted from 1."""
        return int(self.node.start_mark.line) + 1

    def complain(self, what: str, fix: str = "") -> EnvstageError:
        """An error that names the file, the line and the key."""
        key = ".".join(self.path)
        where = f"{self.file}:{self.line}"
        return EnvstageError(what, where=f"{where}: {key}" if key else where, fix=fix)

    @property
    def is_null(self) -> bool:
        """Whether nothing is written here."""
        return bool(self.node.tag == "tag:yaml.org,2002:null")

    def text(self) -> str:
        """A scalar as it is written."""
        if self.node.id != "scalar" or self.is_null:
            raise self.complain("a text is expected here")
        return str(self.node.value)

    def flag(self) -> bool:
        """`true` or `false`."""
        if self.node.id == "scalar" and self.node.value in ("true", "false"):
            return bool(self.node.value == "true")
        raise self.complain("`true` or `false` is expected here")

    def whole(self, least: int, most: int) -> int:
        """A whole number within bounds."""
        if self.node.id == "scalar" and re.fullmatch(r"[0-9]{1,9}", self.node.value):
            number = int(self.node.value)
            if least <= number <= most:
                return number
        raise self.complain(f"a whole number from {least} to {most} is expected here")

    def choice(self, words: tuple[str, ...]) -> str:
        """One of a few words."""
        word = self.text()
        if word not in words:
            near = _nearest(word, words)
            raise self.complain(f"`{word}` is none of {', '.join(words)}", near)
        return word

    def texts(self) -> tuple[str, ...]:
        """A list of texts without repetition, in the order written."""
        if self.is_null:
            return ()
        if self.node.id != "sequence":
            raise self.complain("a list is expected here", "Write it as [one, two]")
        items = [
            Node(item, self.file, (*self.path, str(index))).text()
            for index, item in enumerate(self.node.value)
        ]
        return tuple(dict.fromkeys(items))

    def entries(self) -> Iterator[tuple[str, "Node", "Node"]]:
        """The entries of a mapping: key, the key's node, the value's node."""
        if self.is_null:
            return
        if self.node.id != "mapping":
            raise self.complain("a mapping is expected here", "Write it as `key: value` lines")
        seen: set[str] = set()
        for key_node, value_node in self.node.value:
            key = Node(key_node, self.file, self.path).text()
            if key in seen:
                raise Node(key_node, self.file, (*self.path, key)).complain("written twice")
            seen.add(key)
            path = (*self.path, key)
            yield key, Node(key_node, self.file, path), Node(value_node, self.file, path)

    def fields(self, readers: Mapping[str, tuple[str, Callable[["Node"], Any]]]) -> dict[str, Any]:
        """A mapping with known keys only: key → (field, reader)."""
        values: dict[str, Any] = {}
        for key, key_node, value in self.entries():
            if key not in readers:
                near = _nearest(key, readers) or f"Known keys: {', '.join(sorted(readers))}"
                raise key_node.complain(f"`{key}` is not a setting", near)
            if not value.is_null:
                field, reader = readers[key]
                values[field] = reader(value)
        return values


def _config(section: Node) -> Config:
    fields: dict[str, Any] = {"source": section.file}
    for name, value in section.fields(
        {
            "environments": ("environments", _environments),
            "columns": ("columns", _columns),
            "variables": ("watch", lambda node: node.fields({"watch": ("watch", Node.texts)})),
            "tools": ("tools", Node.texts),
            "container": ("image", lambda node: node.fields({"image": ("image", Node.text)})),
            "verify": ("verify", Node.flag),
            "timeout_s": ("timeout_s", lambda node: node.whole(1, 3600)),
            "views": ("views", lambda node: node),
        }
    ).items():
        if name in ("watch", "image"):
            fields.update(value)
        else:
            fields[name] = value
    views_node = fields.pop("views", None)
    config = Config(**fields)
    if views_node is None:
        return config
    return msgspec.structs.replace(config, views=_views(views_node, config))


def _environments(node: Node) -> tuple[Environment, ...]:
    environments = []
    for name, key_node, value in node.entries():
        _check_name(name, key_node, taken=TAKEN)
        fields = value.fields(
            {
                "python": ("python", Node.text),
                "level": ("level", _level),
                "where": ("where", _pairs),
            }
        )
        environments.append(Environment(name=name, **fields))
    return tuple(environments) or (Environment(),)


def _views(node: Node, config: Config) -> tuple[View, ...]:
    views: list[View] = []
    for name, key_node, value in node.entries():
        _check_name(name, key_node)
        fields = value.fields(
            {
                "environment": ("environment", Node.text),
                "level": ("level", _level),
                "include": ("include", Node.texts),
                "exclude": ("exclude", Node.texts),
                "tolerance": ("tolerance", _tolerance),
            }
        )
        view = View(name=name, **fields)
        known = [each.name for each in config.environments]
        if view.environment not in known:
            near = _nearest(view.environment, known) or f"Environments: {', '.join(known)}"
            raise key_node.complain(f"there is no environment `{view.environment}`", near)
        level = config.environment(view.environment).level
        if view.level is not None and view.level > level:
            raise key_node.complain(
                f"level {view.level.word} is above its environment's level, {level.word}",
                f"Raise the level of the environment `{view.environment}`",
            )
        views.append(view)
    return tuple(views)


def _columns(node: Node) -> tuple[str, ...]:
    columns = node.texts()
    if len(columns) > COLUMNS_AT_MOST:
        raise node.complain(
            f"{len(columns)} columns, at most {COLUMNS_AT_MOST} fit `dvc exp show`",
            "Name the few that you filter by; everything else is in environment.json",
        )
    return columns


def _level(node: Node) -> Level:
    return LEVELS[node.choice(tuple(LEVELS))]


def _pairs(node: Node) -> tuple[tuple[str, str], ...]:
    return tuple((key, value.text()) for key, _, value in node.entries())


def _tolerance(node: Node) -> tuple[tuple[str, str], ...]:
    return tuple((key, value.choice(TOLERANCES)) for key, _, value in node.entries())


def _check_name(name: str, node: Node, taken: frozenset[str] = frozenset()) -> None:
    if not NAME.fullmatch(name) or name.endswith(".") or name in taken:
        raise node.complain(
            f"`{name}` cannot be used as a name",
            "Use letters, digits, `-`, `_` and `.`, starting with a letter or digit",
        )


def _nearest(word: str, known: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    import difflib  # only on the way to an error

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?".rstrip("?") if near else ""


def _unknown(kind: str, name: str, known: list[str], source: str) -> EnvstageError:
    listed = ", ".join(known) if known else "none"
    near = _nearest(name, known)
    return EnvstageError(
        f"there is no {kind} `{name}` (there: {listed})",
        where=source or layout.CONFIG_FILE,
        fix=near,
    )


def _params_section(root: str) -> Node | None:
    # Parsed only where our key can be in it: params.yaml may be large and is not ours.
    if not exists(root):
        return None
    whole = _compose(os.path.join(root, layout.PARAMS_FILE), layout.PARAMS_FILE)
    if whole is None or whole.node.id != "mapping":
        return None
    for key_node, value_node in whole.node.value:
        if key_node.id == "scalar" and key_node.value == "envstage":
            return Node(value_node, layout.PARAMS_FILE, ("envstage",))
    return None


def _compose(path: str, name: str) -> Node | None:
    """The root node of a YAML file; nothing if it is not there or empty."""
    try:
        with open(path, "rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvstageError(f"cannot be read: {error.strerror}", where=name) from None
    if len(content) > LIMIT_BYTES:
        raise EnvstageError("larger than 1 MiB", where=name, fix="This is no configuration")
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(content, Loader=loader)
    except yaml.YAMLError as error:
        raise _malformed(error, name) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise EnvstageError(f"is not YAML: {type(error).__name__}", where=name) from None
    if node is None:
        return None
    _refuse_bombs(node, name)
    return Node(node, name)


def _malformed(error: Any, name: str) -> EnvstageError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    where = f"{name}:{mark.line + 1}" if mark is not None else name
    return EnvstageError(f"is not YAML: {problem}", where=where)


def _refuse_bombs(node: Any, name: str) -> None:
    """Refuse aliases that expand without measure, and nesting without end."""
    budget = 100_000
    stack = [(node, 0)]
    while stack:
        current, depth = stack.pop()
        budget -= 1
        if depth > LIMIT_DEPTH or budget < 0:
            raise EnvstageError(
                "nested too deeply or expands without measure",
                where=f"{name}:{current.start_mark.line + 1}",
                fix="Write it without anchors and aliases",
            )
        if current.id == "sequence":
            stack.extend((item, depth + 1) for item in current.value)
        elif current.id == "mapping":
            stack.extend((part, depth + 1) for pair in current.value for part in pair)
