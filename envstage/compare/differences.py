"""What differs between two sets of facts, ordered by likely effect on results."""

import enum
import re
from typing import Final

import msgspec

from envstage.snapshot.model import Address, Facts, NotApplicable, Unknown, Value


class Kind(enum.Enum):
    """How a fact differs. Where one side is unknown, nobody can tell."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    INCOMPARABLE = "incomparable"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that is not the same on both sides."""

    address: Address
    kind: Kind
    old: Value
    new: Value


# By likely effect on numerical results: the interpreter, what computes, the GPU, the rest.
_NUMERICAL: Final = frozenset(
    "numpy scipy torch tensorflow jax jaxlib pandas scikit-learn xgboost lightgbm numba cupy "
    "pyarrow polars statsmodels catboost mkl openblas transformers triton onnxruntime".split()
)
_ORDER: Final = ("python", "packages", "conda", "hardware", "variables", "system", "tools")


def differences(old: Facts, new: Facts) -> tuple[Difference, ...]:
    """Every fact that differs, the one most likely to matter first.

    `differences(a, a)` is empty; swapping the sides swaps `old` and `new`, added and removed.
    """
    found = [
        _difference(address, old, new)
        for address in old.keys() | new.keys()
        if (address in old, old.get(address)) != (address in new, new.get(address))
        and not (old.get(address) is None and new.get(address) is None)
    ]
    return tuple(sorted(found, key=lambda each: rank(each.address)))


def rank(address: Address) -> tuple[int, int, Address]:
    """The place of a fact in an order by likely effect on results."""
    facet = address[0]
    order = _ORDER.index(facet) if facet in _ORDER else len(_ORDER)
    if facet in ("packages", "conda") and len(address) > 1:
        name = address[1]
        is_numerical = name in _NUMERICAL or re.match(r"nvidia-|intel-openmp|mkl", name)
        return (order, 0 if is_numerical else 1, address)
    if facet == "hardware" and address[1:2] == ("gpu",):
        return (order, 0, address)
    return (order, 1, address)


def _difference(address: Address, old: Facts, new: Facts) -> Difference:
    before, after = old.get(address), new.get(address)
    return Difference(address=address, kind=_kind(before, after), old=before, new=after)


def _kind(before: Value, after: Value) -> Kind:
    if isinstance(before, Unknown) or isinstance(after, Unknown):
        return Kind.INCOMPARABLE
    if _is_nothing(before) and _is_nothing(after):
        return Kind.CHANGED
    if before is None or isinstance(before, NotApplicable):
        return Kind.ADDED
    if after is None or isinstance(after, NotApplicable):
        return Kind.REMOVED
    return Kind.CHANGED


def _is_nothing(value: Value) -> bool:
    return value is None or isinstance(value, NotApplicable)
