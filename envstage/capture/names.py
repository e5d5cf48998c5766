"""Names in the configuration that nothing on this machine answers to: misspelt, most likely."""

import os
from collections.abc import Iterator
from typing import Final

from envstage.config import DEFAULT_COLUMNS, Config
from envstage.snapshot.model import ABSENT, Address, Facts, covers
from envstage.world import World

_NAMED: Final = ("packages", "conda", "tools")
# Groups of which a machine may have any member: other names are checked with the configuration.
_INCLUDED: Final = (("packages",), ("conda",), ("system", "packages"))


def unanswered_names(
    world: World, config: Config, environment: str, facts: Facts
) -> tuple[str, ...]:
    """One line for each tool, column and included fact that has nothing to show here.

    No error: a column may be of a package that only another environment has, a tool may be
    wanted on other machines only, an included package may come one day.
    """
    return (
        *_tools(world, config, facts),
        *_columns(config, facts),
        *_includes(config, environment, facts),
    )


def _tools(world: World, config: Config, facts: Facts) -> Iterator[str]:
    for name in config.tools:
        if facts.get(("tools", name, "version"), ABSENT) is ABSENT:
            near = _near(name, _programs(world))
            yield f"tools: there is no program `{name}` on PATH here{near}; it counts as absent"


def _columns(config: Config, facts: Facts) -> Iterator[str]:
    for column in config.columns:
        parts = column.split(".")
        if column in DEFAULT_COLUMNS or parts[0] not in _NAMED or len(parts) < 2 or "*" in column:
            continue
        if parts[0] == "tools" and parts[1] in config.tools:
            continue
        if tuple(parts) not in facts and not any(covers(column, each) for each in facts):
            near = _near(parts[1], _names(facts, parts[0]))
            yield f"columns: nothing here is called `{column}`{near}; the column says `none`"


def _includes(config: Config, environment: str, facts: Facts) -> Iterator[str]:
    for view in config.views_of(environment):
        for pattern in view.include:
            parts = pattern.split(".")
            group = tuple(parts[: 2 if parts[0] == "system" else 1])
            if group not in _INCLUDED or set(pattern) & set("*?[") or len(parts) <= len(group):
                continue
            if not any(covers(pattern, each) for each in facts):
                near = _near(parts[len(group)], _names(facts, *group))
                yield (
                    f"views.{view.name}.include: nothing here is called `{pattern}`{near}; it "
                    "counts as absent"
                )


def _names(facts: Facts, *group: str) -> set[str]:
    def is_of(address: Address) -> bool:
        return address[: len(group)] == group and len(address) > len(group)

    return {address[len(group)] for address in facts if is_of(address)}


def _programs(world: World) -> set[str]:
    names: set[str] = set()
    for folder in world.environ.get("PATH", "").split(os.pathsep):
        try:
            names.update(world.list_dir(folder) if folder else ())
        except OSError:
            continue
    return names


def _near(word: str, known: set[str]) -> str:
    import difflib  # only where something is amiss

    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.7)
    return f" (did you mean `{near[0]}`?)" if near else ""
