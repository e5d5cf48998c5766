"""The configuration, read and checked: `envstage.yaml`, or `envstage:` in params.yaml.

Or, where neither is there, in the configuration of a Snakemake workflow, which the provided rule
writes into the state folder for the commands that its jobs start.

Read from YAML's nodes rather than from loaded objects: every complaint names its line and key,
and a scalar is what is written (`python: 3.10` is the text `3.10`, not the number 3.1).
"""

import os
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from envstage import layout
from envstage.config import (
    COLUMNS_AT_MOST,
    NAME,
    ON_DRIFT,
    ON_MISMATCH,
    TOLERANCES,
    Config,
    Environment,
    Guard,
    View,
)
from envstage.errors import EnvstageError
from envstage.snapshot.model import LEVELS, Level
from envstage.yaml_node import LIMIT_BYTES, Node, compose, nearest, refuse_bombs

SECTION: Final = "envstage"
# Names of files and folders that stand in an environment's folder, so cannot name a sub-folder.
TAKEN: Final = frozenset(
    name.lower()
    for name in (
        layout.VIEWS,
        layout.FACETS,
        layout.DIFFS,
        layout.SNAPSHOT,
        layout.SUMMARY,
        layout.REQUIREMENTS,
        layout.REPRODUCE,
        layout.CONTEXT,
    )
)
# Our key at the start of a line of params.yaml, quoted or not, behind a byte order mark or not.
OWN_KEY: Final = re.compile(rb"""^(?:\xef\xbb\xbf)?(["']?)envstage\1\s*:""", re.MULTILINE)


def load(root: str) -> Config:
    """Read the project's configuration; the defaults where nothing is written.

    Args:
        root: the project's folder.

    Raises:
        EnvstageError: unreadable, malformed or contradictory, with file, line and key.
    """
    own = _own_file(root)
    params = _params_section(root)
    if own is not None and params is not None:
        raise EnvstageError(
            f"both {layout.CONFIG_FILE} and a section `envstage:` are there",
            where=f"{layout.PARAMS_FILE}:{params.line}",
            fix="Keep one of them: delete the section or the file",
        )
    section = own or params or _workflow_section(root)
    return Config() if section is None else _config(section)


def exists(root: str) -> bool:
    """Whether the folder holds a configuration of ours."""
    if any(
        os.path.isfile(os.path.join(root, name))
        for name in (layout.CONFIG_FILE, layout.WORKFLOW_CONFIG)
    ):
        return True
    return _has_own_key(os.path.join(root, layout.PARAMS_FILE))


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
            "guard": ("guard", _guard),
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


def _guard(node: Node) -> Guard:
    return Guard(
        **node.fields(
            {
                "on_mismatch": ("on_mismatch", lambda each: each.choice(ON_MISMATCH)),
                "on_drift": ("on_drift", lambda each: each.choice(ON_DRIFT)),
                "observe": ("observe", Node.flag),
            }
        )
    )


def _environments(node: Node) -> tuple[Environment, ...]:
    environments: list[Environment] = []
    for name, key_node, value in node.entries():
        _check_name(name, key_node, [each.name for each in environments], TAKEN)
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
        _check_name(name, key_node, [each.name for each in views])
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
            near = nearest(view.environment, known) or f"Environments: {', '.join(known)}"
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


def _check_name(
    name: str, node: Node, others: Sequence[str], taken: frozenset[str] = frozenset()
) -> None:
    if not NAME.fullmatch(name) or name.endswith("."):
        raise node.complain(
            f"`{name}` cannot be used as a name",
            "Use letters, digits, `-`, `_` and `.`, starting with a letter or digit",
        )
    if name.lower() in taken:
        raise node.complain(
            f"`{name}` is taken: a file of envstage's has that name", "Choose another name"
        )
    # Two names, but one file, where a file system does not tell capitals apart (macOS, Windows).
    for other in others:
        if name.lower() == other.lower():
            raise node.complain(f"differs from `{other}` in capitals only", "Choose another name")


def _params_section(root: str) -> Node | None:
    path = os.path.join(root, layout.PARAMS_FILE)
    # Parsed only where our key can be in it: params.yaml may be large and is not ours.
    if not _has_own_key(path):
        return None
    whole = compose(path, layout.PARAMS_FILE)
    if whole is None or whole.node.id != "mapping":
        return None
    found = [
        Node(pair[1], layout.PARAMS_FILE, (SECTION,))
        for pair in whole.node.value
        if pair[0].id == "scalar" and pair[0].value == SECTION
    ]
    if len(found) > 1:
        raise found[1].complain("written twice", "Keep one of the sections")
    if not found:
        return None
    # The rest of the file is the user's, with as many anchors and lists as they like.
    refuse_bombs(found[0].node, layout.PARAMS_FILE)
    return found[0]


def _workflow_section(root: str) -> Node | None:
    return compose(os.path.join(root, layout.WORKFLOW_CONFIG), layout.WORKFLOW_CONFIG)


def _has_own_key(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return OWN_KEY.search(file.read(LIMIT_BYTES)) is not None
    except OSError:
        return False


def _own_file(root: str) -> Node | None:
    node = compose(os.path.join(root, layout.CONFIG_FILE), layout.CONFIG_FILE)
    if node is not None:
        refuse_bombs(node.node, layout.CONFIG_FILE)
    return node
