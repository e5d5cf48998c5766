"""What was built against what was captured: package by package, by build digest (case 30)."""

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from envstage.export.packages import Package, packages_of
from envstage.facets import catalogue
from envstage.facets.packages import OURSELVES, TOOLING
from envstage.snapshot.model import Address, Facts, Snapshot, Value


class Verdict(enum.Enum):
    """How a package came back."""

    SAME = "same"
    OWN_BUILD = "same source, own build"
    SAME_VERSION = "same version, no build known"
    OTHER_INSTALLER = "installer, other build"
    OTHER_BUILD = "other files under the same name and version"
    OTHER_VERSION = "other version"
    MISSING = "missing"
    ADDED = "not in the snapshot"

    @property
    def is_good(self) -> bool:
        """Whether nothing that counts differs."""
        good = (Verdict.SAME, Verdict.OWN_BUILD, Verdict.SAME_VERSION, Verdict.OTHER_INSTALLER)
        return self in good


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One package: what was wanted, what is there."""

    name: str
    verdict: Verdict
    wanted: Package | None = None
    found: Package | None = None

    @property
    def words(self) -> str:
        """What is wrong, for a person; empty where nothing is."""
        if self.verdict is Verdict.OTHER_BUILD:
            return _other_build(self)
        if self.verdict is Verdict.OTHER_VERSION and self.wanted and self.found:
            return f"{self.found.version} instead of {self.wanted.version}"
        return "" if self.verdict.is_good else self.verdict.value


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of the machine, which no installation brings back."""

    address: Address
    wanted: Value
    found: Value
    advice: str


_ADVICE: Final = (
    (("hardware", "gpu", "driver"), "run on a machine with this driver, or have it installed"),
    (("hardware", "gpu"), "run on a machine with these GPUs"),
    (("hardware", "cuda"), "install that CUDA release, or use its container image"),
    (("hardware", "threads"), "set OMP_NUM_THREADS and its like to the captured number"),
    (("hardware", "cpu"), "run on a machine with that processor"),
    (("system", "container"), "run in that image"),
    (("system",), "`envstage export dockerfile` gives a container of that system"),
    (("variables",), "set it before the run"),
    (("tools",), "install that version of the tool"),
    (("conda",), "`envstage export conda` gives conda's part"),
    (("python",), "install that interpreter: `uv python install`, `pyenv install`"),
)


def judge(wanted: Snapshot, found: Snapshot) -> tuple[Judged, ...]:
    """A verdict for every package of either side, in the order of their names."""
    old = {each.name: each for each in packages_of(wanted)}
    new = {each.name: each for each in packages_of(found)}
    names = sorted(old.keys() | new.keys())
    return tuple(
        Judged(
            name=name,
            verdict=_verdict(old.get(name), new.get(name)),
            wanted=old.get(name),
            found=new.get(name),
        )
        for name in names
        if name in old or name != OURSELVES
    )


def elsewhere(wanted: Facts, found: Facts) -> tuple[Elsewhere, ...]:
    """The counting facts beside the packages that are otherwise here."""
    addresses = sorted(
        address
        for address in wanted.keys() | found.keys()
        if address[0] != "packages" and catalogue.counts(address)
    )
    return tuple(
        Elsewhere(
            address=address,
            wanted=wanted.get(address),
            found=found.get(address),
            advice=_advice(address),
        )
        for address in addresses
        if wanted.get(address) != found.get(address)
    )


def settable(wanted: Facts, found: Facts) -> Mapping[str, str]:
    """The variables to set, with their values, so that a run sees what the captured one saw."""
    return {
        address[1]: value
        for address, value in sorted(wanted.items())
        if address[0] == "variables"
        and isinstance(value, str)
        and found.get(address) != value
        and "sha256:" not in value
    }


def _verdict(wanted: Package | None, found: Package | None) -> Verdict:
    if wanted is None:
        return Verdict.ADDED
    if found is None:
        return Verdict.MISSING
    if wanted.version != found.version:
        return Verdict.OTHER_VERSION
    old, new = wanted.build or wanted.source, found.build or found.source
    if old is None or (wanted.build is None) != (found.build is None):
        return Verdict.SAME_VERSION if _is_loose(wanted) else Verdict.OTHER_BUILD
    if old != new and wanted.name in TOOLING:
        # Debian's `python -m venv` brings a pip of its own; no view has it (case 27).
        return Verdict.OTHER_INSTALLER
    if old != new:
        return Verdict.OTHER_BUILD
    return Verdict.OWN_BUILD if wanted.is_own_build else Verdict.SAME


def _is_loose(wanted: Package) -> bool:
    """Whether the snapshot says nothing but a version (no RECORD), or it is the project's code."""
    return wanted.is_own_code or (wanted.build is None and wanted.source is None)


def _other_build(judged: Judged) -> str:
    wanted, found = judged.wanted, judged.found
    if wanted is None or found is None:
        return ""
    if wanted.editable is not None:
        return "the checkout's files are not those that were captured"
    if wanted.is_own_build != found.is_own_build:
        kind = "compiled where it was captured" if wanted.is_own_build else "a wheel of an index"
        return f"{wanted.version} was {kind}; the one that can be had here is another build"
    return (
        f"{wanted.version} has other files than the captured one: a package of the same name and "
        "version from somewhere else (a private one has a public namesake), or one that was edited"
    )


def _advice(address: Address) -> str:
    return next(
        (advice for prefix, advice in _ADVICE if address[: len(prefix)] == prefix),
        "nothing brings it back from here",
    )
