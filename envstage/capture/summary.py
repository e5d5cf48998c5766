"""`summary.json`: the few columns of `dvc exp show`, as text."""

from typing import Any, Final

from envstage import layout
from envstage.facets import catalogue
from envstage.facets.contract import may_meet
from envstage.snapshot.model import Address, Facts, Snapshot, Value, covers
from envstage.snapshot.words import value_text

KEY: Final = "env"
_FINGERPRINT_LENGTH: Final = 14


def summary_of(snapshot: Snapshot, fingerprint: str, columns: tuple[str, ...]) -> dict[str, Any]:
    """The columns under one top key, so that `--drop 'env\\.'` hides them all.

    Every value is text: DVC and YAML turn `3.10` and `2e124658` into numbers (dvc issue 2024).
    A column above the environment's level is left out; one that has no fact says `none`.
    """
    cells = {
        column_name(column): _cell(snapshot.facts, column)
        for column in columns
        if _is_recorded(snapshot, column)
    }
    cells["fingerprint"] = fingerprint[:_FINGERPRINT_LENGTH]
    if snapshot.environment != layout.MAIN:
        return {KEY: {snapshot.environment: cells}}
    return {KEY: cells}


def column_name(column: str) -> str:
    """`packages.torch.version` is `torch`, `hardware.gpu.driver` is `gpu_driver`."""
    parts = column.split(".")
    if parts[0] in ("packages", "conda", "tools", "variables") and len(parts) > 1:
        return "_".join(parts[1:-1] if parts[-1] == "version" else parts[1:])
    if parts[-1] == "version":
        return "_".join(parts[:-1])
    return "_".join(parts[1:] or parts)


def _cell(facts: Facts, column: str) -> str:
    found: list[tuple[Address, Value]] = [
        (address, value) for address, value in sorted(facts.items()) if covers(column, address)
    ]
    exact = [value for address, value in found if ".".join(address) == column]
    values = (
        exact
        or [value for address, value in found if address[-1] == "version"]
        or [value for _, value in found]
    )
    return ", ".join(value_text(value) for value in values) or "none"


def _is_recorded(snapshot: Snapshot, column: str) -> bool:
    if any(covers(column, address) for address in snapshot.facts):
        return True
    levels = [
        rule.level
        for rule in catalogue.rules()
        if rule.level is not None and may_meet(column, tuple(rule.pattern.split(".")))
    ]
    return any(level <= snapshot.level for level in levels)
