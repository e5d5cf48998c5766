"""From the facts of a capture to those that one stage depends on."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from envstage.config import Config, View
from envstage.errors import EnvstageError
from envstage.facets import catalogue
from envstage.facets.imports import Names
from envstage.facets.packages import is_own, is_tooling
from envstage.facets.readers import GPU as GPU_READER
from envstage.facets.readers import PYTHON, readers_of
from envstage.facets.variables import WATCHED_MARK
from envstage.snapshot.model import (
    SCHEMA,
    Address,
    Facts,
    Level,
    NotApplicable,
    Unknown,
    Value,
    covered,
    covers,
    written,
)
from envstage.snapshot.withheld import without_suspects
from envstage.views.document import OBSERVED, WIDE, ViewDocument
from envstage.views.selection import GPU, USES_GPU, USES_PROGRAMS, Selection

_PACKAGED: Final = ("packages", "conda")
_NAMED_GROUPS: Final = ("packages", "conda", "variables", "tools")
_VERSION_PART: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a view, and those that it needs and that could not be captured."""

    view: View
    level: Level
    selection: str
    facts: Facts
    unknown: Mapping[Address, Unknown]
    schema: int = SCHEMA

    @property
    def document(self) -> ViewDocument:
        """The view's document."""
        return ViewDocument(
            level=self.level, selection=self.selection, facts=self.facts, schema=self.schema
        )


def project(
    facts: Facts,
    view: View,
    level: Level,
    selection: Selection | None = None,
    names: Names | None = None,
) -> Projection:
    """Take the facts that a view selects.

    Args:
        facts: everything that was captured, the context's facts included.
        level: the level of the view's environment; the view's own may be lower.
        selection: what the stage was seen to use; None for a wide view.
        names: what names mean to the interpreter, where a selection asks.

    A wide view: every fact that counts at the level, less `exclude`, and what `include` names,
    whatever its level. An observed one: of packages and GPU, what was used. A package or name
    that is asked for and not there is an absent fact: its appearing later changes the view.
    """
    level = view.level or level
    selected = {
        address: value
        for address, value in facts.items()
        if _is_selected(address, facts, view, level, selection, names)
    }
    if selection is not None:
        selected |= without_suspects(_observed(facts, selection, names, view))
    for address in [each for each in selected if each[0] == "packages" and each[2:] == ("source",)]:
        if isinstance(selected.get((*address[:2], "build")), str):
            del selected[address]
    for pattern in view.include:
        if _is_literal_name(pattern) and not any(covers(pattern, each) for each in facts):
            selected[_literal_address(pattern)] = None
    tolerated = {
        address: tolerated_value(value, tolerance)
        for address, value in selected.items()
        if (tolerance := _tolerance_of(view, address)) != "ignore"
    }
    unknown = {address: value for address, value in tolerated.items() if isinstance(value, Unknown)}
    return Projection(
        view=view,
        level=level,
        selection=WIDE if selection is None else OBSERVED,
        facts=tolerated,
        unknown=unknown,
    )


def check_patterns(config: Config) -> None:
    """Refuse names of facts that cannot exist: a typing error there would be a missed rerun.

    Raises:
        EnvstageError: with the view, the pattern and the nearest name.
    """
    for view in config.views:
        named = {
            "include": view.include,
            "exclude": view.exclude,
            "tolerance": tuple(key for key, _ in view.tolerance),
        }
        for setting, patterns in named.items():
            for pattern in patterns:
                _check_pattern(pattern, f"{config.source}: views.{view.name}.{setting}")
    for environment in config.environments:
        for pattern, _ in environment.where:
            _check_pattern(pattern, f"{config.source}: environments.{environment.name}.where")
    for pattern in config.columns:
        _check_pattern(pattern, f"{config.source}: columns")


def tolerated_value(value: Value, tolerance: str) -> Value:
    """What counts of a version: `550.54.15` is `550` under `major`, `550.54` under `major.minor`.

    The value is cut, not compared with its predecessor: many small steps never add up to a
    large one unseen.
    """
    if tolerance in ("exact", "ignore") or not isinstance(value, str):
        return value
    match = _VERSION_PART.match(value)
    if match is None:
        return value
    return match.group().split(".")[0] if tolerance == "major" else match.group()


def _is_selected(
    address: Address,
    facts: Facts,
    view: View,
    level: Level,
    selection: Selection | None,
    names: Names | None,
) -> bool:
    if covered(view.include, address):
        return True
    if address[0] == "packages" and is_own(facts, address[1]):
        # Code, which the stages' deps track (case 9). That it is the project's own stays in the
        # view: an installed copy in its place is a package.
        is_used = selection is None or address[1] in selection.packages
        return address[2:] == ("note",) and is_used and not covered(view.exclude, address)
    if covered(view.exclude, address) or not catalogue.counts(address):
        return False
    own = catalogue.level_of(address)
    if own is None or own > level:
        return False
    if selection is None:
        return not (address[0] in _PACKAGED and is_tooling(facts, address[1]))
    if address[0] == "variables":
        return _is_read(address[1], facts, selection, names)
    return _is_used(address, facts, selection)


def _is_used(address: Address, facts: Facts, selection: Selection) -> bool:
    """Whether a fact that counts was used: what a run cannot be seen to use counts always."""
    facet = address[0]
    if facet == "python":
        return selection.uses_python
    if facet == "packages":
        return address[1] in selection.packages
    if facet == "conda":
        # A conda package of a Python distribution is used or not; of a library nobody knows.
        is_python = ("packages", address[1], "version") in facts
        return not is_python or address[1] in selection.packages
    if address[:2] in GPU:
        return selection.uses_gpu
    if facet == "tools":
        return selection.uses_programs
    return True


def _is_read(name: str, facts: Facts, selection: Selection, names: Names | None) -> bool:
    """Whether a run may have read a variable: nobody sees that, but it needs the reader."""
    if name == "PYTHONPATH":
        # What it makes importable is told name by name, for the names that were used.
        return False
    readers = readers_of(name)
    if not readers or (WATCHED_MARK, name) in facts:
        return True
    if PYTHON in readers:
        return selection.uses_python
    if selection.uses_programs:
        return True
    if GPU_READER in readers:
        return selection.uses_gpu
    if any(module.partition(".")[0] in readers for module in selection.modules):
        return True
    return names is None or names.provides(selection.packages, readers)


def _observed(
    facts: Facts, selection: Selection, names: Names | None, view: View
) -> dict[Address, Value]:
    """The facts that only this selection asks for."""
    found = _uses(selection)
    for name in selection.packages:
        if ("packages", name, "version") not in facts:
            found["packages", name] = None
    for name in selection.metadata:
        # The project's own version may move with each commit.
        if ("packages", name, "metadata") in facts and not is_own(facts, name):
            found["packages", name, "metadata"] = facts["packages", name, "metadata"]
    if names is not None:
        found |= _asked(selection, names)
    return {
        address: value for address, value in found.items() if not covered(view.exclude, address)
    }


def _uses(selection: Selection) -> dict[Address, Value]:
    found: dict[Address, Value] = {}
    if selection.uses_gpu:
        found[USES_GPU] = True
    if selection.uses_programs and selection.uses_python:
        found[USES_PROGRAMS] = True
    return found


def _asked(selection: Selection, names: Names) -> dict[Address, Value]:
    """What names, groups and files mean to the interpreter."""
    found: dict[Address, Value] = {}
    for name in selection.modules:
        found["modules", name] = names.meaning(name)
    shadows = names.shadows(selection.packages) if selection.uses_python else {}
    for name, value in shadows.items():
        found["modules", name] = value
    for group in selection.entry_points:
        found["entry_points", group] = names.entry_points(group)
    for name in selection.providers:
        found["providers", name] = names.providers(name)
    for path in selection.files:
        found["files", path] = names.file(path)
    return found


def _tolerance_of(view: View, address: Address) -> str:
    for pattern, tolerance in view.tolerance:
        if covers(pattern, address):
            return tolerance
    return "exact"


def _is_literal_name(pattern: str) -> bool:
    group, dot, name = pattern.partition(".")
    return group in _NAMED_GROUPS and bool(dot) and not set(name) & set("*?[")


def _literal_address(pattern: str) -> Address:
    group, _, name = pattern.partition(".")
    # Names of variables and tools may hold dots; names of packages do not (PEP 503).
    return (group, *name.split(".")) if group in ("packages", "conda") else (group, name)


def _check_pattern(pattern: str, where: str) -> None:
    if catalogue.is_known(pattern):
        return
    import difflib  # only on the way to an error

    known = sorted({rule.pattern for rule in catalogue.rules()})
    near = difflib.get_close_matches(pattern, known, n=1, cutoff=0.5)
    raise EnvstageError(
        f"`{pattern}` names no fact",
        where=where,
        fix=f"Did you mean `{near[0]}`?" if near else "`envstage show` lists the facts by address",
    )


def describe_unknown(unknown: Mapping[Address, Unknown | NotApplicable]) -> str:
    """The first facts that could not be captured, with their reasons, in one line."""
    shown = [f"{written(address)} ({value.why})" for address, value in sorted(unknown.items())[:3]]
    more = len(unknown) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
