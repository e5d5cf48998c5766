"""Differences as things that changed: the facts of one package make one change."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from envstage.compare.differences import Difference, Kind
from envstage.compare.versions import Direction, Severity, step
from envstage.facets import catalogue
from envstage.facets.packages import TOOLING
from envstage.snapshot.model import Address, Value
from envstage.snapshot.words import value_text

# The facts of a thing beside its version, the most telling first: what a change of it is called.
_WORDS: Final[tuple[tuple[str, Direction, str], ...]] = (
    ("build", Direction.OTHER_BUILD, "other build of the same version"),
    ("sha256", Direction.OTHER_BUILD, "other binary of the same version"),
    ("commit", Direction.OTHER_ORIGIN, "other commit of the same version"),
    ("url", Direction.OTHER_ORIGIN, "same version from another origin"),
    ("channel", Direction.OTHER_ORIGIN, "same version from another channel"),
    ("editable", Direction.OTHER_ORIGIN, "editable install elsewhere, or no longer one"),
    ("source", Direction.OTHER_CONTENT, "other content of the same version"),
    ("md5", Direction.OTHER_BUILD, "other archive of the same version"),
    ("metadata", Direction.OTHER_CONTENT, "other metadata of the same version"),
    ("tags", Direction.OTHER_BUILD, "other wheel tags of the same version"),
)
_VERSIONED: Final = (
    *("hardware.gpu.driver", "hardware.gpu.cuda_driver", "system.distribution", "system.libc"),
    *("system.kernel", "system.container.reference"),
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changed: `("packages", "numpy")`, from 1.26.3 to 1.26.4.

    Attributes:
        words: what happened, where the two values do not say it by themselves.
        counts: whether any of its facts is part of views that do not name it.
        differences: the facts that it consists of.
    """

    subject: Address
    kind: Kind
    old: Value
    new: Value
    words: str = ""
    direction: Direction | None = None
    severity: Severity | None = None
    counts: bool = True
    differences: tuple[Difference, ...] = ()

    @property
    def facet(self) -> str:
        """The group that it belongs to."""
        return self.subject[0]

    @property
    def name(self) -> str:
        """What it is called within its facet."""
        return ".".join(self.subject[1:]) or self.subject[0]


def changes(found: Iterable[Difference]) -> tuple[Change, ...]:
    """The things that changed, in the order of the differences."""
    groups: dict[Address, list[Difference]] = {}
    for difference in found:
        groups.setdefault(_subject(difference.address), []).append(difference)
    return tuple(_change(subject, tuple(group)) for subject, group in groups.items())


def values_text(change: Change) -> str:
    """The values as people read them: `1.26.3 → 1.26.4`, `added 1.0`, `removed (was 1.0)`."""
    if change.kind is Kind.ADDED:
        return f"added {value_text(change.new)}"
    if change.kind is Kind.REMOVED:
        return f"removed (was {value_text(change.old)})"
    return change.words or f"{value_text(change.old)} → {value_text(change.new)}"


def _subject(address: Address) -> Address:
    if address[0] in ("packages", "conda", "tools") and len(address) > 2:
        return address[:2]
    return address


def _change(subject: Address, group: tuple[Difference, ...]) -> Change:
    by_name = {each.address[-1]: each for each in group}
    counts = any(_counts(each.address) for each in group)
    version = by_name.get("version")
    if subject == group[0].address or version is not None:
        main = version or group[0]
        if main.kind is not Kind.CHANGED:
            return _plain(subject, main, counts, group)
        return _versioned(subject, main, counts, group)
    main, direction, words = _named(by_name) or (group[0], None, "")
    if main.kind is Kind.INCOMPARABLE:
        name = main.address[-1]
        words = f"{name} {value_text(main.old)} → {value_text(main.new)}"
        return msgspec.structs.replace(_plain(subject, main, counts, group), words=words)
    return Change(
        subject=subject,
        kind=Kind.CHANGED,
        old=main.old,
        new=main.new,
        words=words or f"{main.address[-1]} {value_text(main.old)} → {value_text(main.new)}",
        direction=direction,
        counts=counts,
        differences=group,
    )


def _plain(
    subject: Address, main: Difference, counts: bool, group: tuple[Difference, ...]
) -> Change:
    return Change(
        subject=subject,
        kind=main.kind,
        old=main.old,
        new=main.new,
        counts=counts,
        differences=group,
    )


def _versioned(
    subject: Address, main: Difference, counts: bool, group: tuple[Difference, ...]
) -> Change:
    change = _plain(subject, main, counts, group)
    old, new = main.old, main.new
    if not _is_version(main.address) or not isinstance(old, str) or not isinstance(new, str):
        return change
    found = step(old, new)
    if found is None:
        return change
    return msgspec.structs.replace(change, direction=found.direction, severity=found.severity)


def _named(by_name: Mapping[str, Difference]) -> tuple[Difference, Direction, str] | None:
    for name, direction, words in _WORDS:
        if name in by_name:
            return by_name[name], direction, words
    return None


def _is_version(address: Address) -> bool:
    if address[-1] == "version" or address[:2] == ("hardware", "cuda"):
        return True
    return ".".join(address) in _VERSIONED or address[:2] == ("system", "packages")


def _counts(address: Address) -> bool:
    if address[0] == "packages" and address[1] in TOOLING:
        return False
    # What no rule names (a package that is absent from a view) and what has no level is there
    # only because somebody asked for it by name.
    rule = catalogue.rule_of(address)
    return rule is None or rule.counts
