"""What to install, package by package, and what cannot be installed from here."""

import os
from collections.abc import Collection, Mapping
from typing import TypeAlias

import msgspec

from envstage import layout
from envstage.export.conda_packages import conda_pins
from envstage.export.packages import Package, packages_of
from envstage.export.pins import is_local, is_valid_version, requirement, why_not
from envstage.facets.origin import BESIDE
from envstage.recreate.conda import is_out_of_reach
from envstage.recreate.diffs import patch_of
from envstage.snapshot.model import Snapshot
from envstage.snapshot.tree import tree_digest


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A pin or a direct reference, as a requirements file has it."""

    name: str
    text: str


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of this machine that is built, or installed as editable."""

    name: str
    path: str
    is_editable: bool


class Clone(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that is cloned, to be installed as editable; `patch`: a file of its edits."""

    name: str
    url: str
    commit: str
    subdirectory: str | None = None
    patch: str | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A package that cannot be brought back, and why."""

    name: str
    why: str


class FromConda(msgspec.Struct, frozen=True, kw_only=True):
    """A package that comes with conda's part of the environment."""

    name: str


Step: TypeAlias = Line | Folder | Clone | FromConda | Refused


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The steps, in the order of the packages' names."""

    steps: tuple[Step, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """What one call installs."""
        return tuple(each for each in self.steps if isinstance(each, Line))

    @property
    def folders(self) -> tuple[Folder, ...]:
        """What is built or linked from this machine."""
        return tuple(each for each in self.steps if isinstance(each, Folder))

    @property
    def clones(self) -> tuple[Clone, ...]:
        """What is cloned first."""
        return tuple(each for each in self.steps if isinstance(each, Clone))

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What is not installed."""
        return tuple(each for each in self.steps if isinstance(each, Refused))

    def without(self, names: Collection[str], why: str) -> "Plan":
        """The same, less what turned out not to be had."""
        return Plan(
            steps=tuple(
                Refused(name=each.name, why=why) if each.name in names else each
                for each in self.steps
            )
        )


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie on this machine.

    Attributes:
        root: the project's folder.
        environment: whose folder in there has the archived edits.
        local: what packages were installed from, by their name, as this machine's last capture
            recorded it. What is taken from there is compared with the snapshot like all else.
        has_sources: whether somebody named further indexes or folders for this rebuild: a
            package of a local place may be found there under its version.
    """

    root: str
    environment: str = layout.MAIN
    local: Mapping[str, str] = {}
    has_sources: bool = False


def plan(snapshot: Snapshot, places: Places) -> Plan:
    """What to do for each package of a snapshot."""
    pins = conda_pins(snapshot)
    lost = tuple(
        Refused(name=f"conda's {pin.name}", why="from a channel in a folder of another machine")
        for pin in pins
        if is_out_of_reach(pin)
    )
    found = tuple(_step(each, places, bool(pins)) for each in packages_of(snapshot))
    return Plan(steps=lost + found)


def _step(package: Package, places: Places, is_conda: bool) -> Step:
    name = package.name
    if is_conda and package.conda is not None:
        return FromConda(name=name)
    if package.folder is not None:
        return _own(package, package.folder, places)
    if package.editable is not None:
        return _editable(package, places)
    line = requirement(package)
    if line is not None:
        return Line(name=name, text=line)
    if is_local(package):
        return _local(package, places)
    return Refused(name=name, why=why_not(package))


def _own(package: Package, folder: str, places: Places) -> Step:
    path = os.path.normpath(os.path.join(places.root, folder))
    if os.path.isdir(path):
        return Folder(name=package.name, path=path, is_editable=package.is_own_code)
    return Refused(name=package.name, why=f"the project has no folder {folder} here")


def _editable(package: Package, places: Places) -> Step:
    path = places.local.get(package.name, "")
    if path and package.source in _digests(path):
        return Folder(name=package.name, path=path, is_editable=True)
    patch = patch_of(places.root, places.environment, package)
    if package.is_edited and patch is None:
        why = (
            "an editable checkout with edits that are in no commit; the clean commit is not it "
            "(`envstage capture --archive-diffs` keeps them)"
        )
        return Refused(name=package.name, why=why)
    if package.remote is None or package.commit is None:
        return Refused(name=package.name, why=why_not(package))
    return Clone(
        name=package.name,
        url=package.remote.partition("+")[2],
        commit=package.commit,
        subdirectory=package.subdirectory,
        patch=patch if package.is_edited else None,
    )


def _local(package: Package, places: Places) -> Step:
    name = package.name
    path = places.local.get(name, "")
    if path and os.path.exists(path):
        if package.commit:
            inner = f"#subdirectory={package.subdirectory}" if package.subdirectory else ""
            return Line(name=name, text=f"{name} @ git+file://{path}@{package.commit}{inner}")
        if os.path.isdir(path):
            return Folder(name=name, path=path, is_editable=False)
        return Line(name=name, text=f"{name} @ file://{path}")
    if places.has_sources and is_valid_version(package.version):
        return Line(name=name, text=f"{name}=={package.version}")
    return Refused(name=name, why=why_not(package))


def _digests(path: str) -> tuple[str, ...]:
    """What a capture could say of a checkout: with or without what lies beside its packages."""
    try:
        return tree_digest(path), tree_digest(path, without=BESIDE)
    except OSError:
        return ()
