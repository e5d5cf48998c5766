"""What a facet is: a module with `NAME`, `FACTS` and `collect(world, request)`.

A collector returns outcomes and does not raise for what a machine can do to it: a file that
cannot be read is `Unknown("cannot read /etc/os-release: permission denied")`. The one broad
`except` stands in `envstage.capture`.
"""

from typing import Protocol

import msgspec

from envstage.snapshot.model import Address, Facts, Level
from envstage.world import World


class FactRule(msgspec.Struct, frozen=True):
    """One kind of fact: its address (`*` stands for one name), its level, what it means.

    Facts of level `None` go to the context only, unless a view includes them by name. Facts that
    do not count are kept in the snapshot for people and for rebuilding, and are in no view
    that does not include them by name.
    """

    pattern: str
    level: Level | None
    meaning: str
    counts: bool = True


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """One distribution as the probe saw it. Paths are absolute and never leave the capture.

    `tops` are the names at the top of its installed files, as `import` spells them.
    """

    name: str
    version: str | None
    location: str
    metadata_path: str
    installer: str | None = None
    tags: tuple[str, ...] = ()
    direct_url: str | None = None
    build: str | None = None
    build_problem: str | None = None
    is_own_build: bool = False
    build_files: int = 0
    is_requested: bool = False
    tops: tuple[str, ...] = ()
    entry_points: str = ""
    metadata_digest: str | None = None
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


class ProbeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the probe said of the interpreter that it ran under.

    Attributes:
        identities: a digest that stays the same as long as a new answer would; empty where
            nothing tells that.
        youngest_ns: the latest time of a file that was read, nanoseconds since 1970.
        is_steady: False where somebody was changing the packages all the while.
    """

    payload: int
    executable: str
    prefix: str
    base_prefix: str
    implementation: str
    version: str
    abi: str
    is_free_threaded: bool
    is_debug: bool
    compiler: str
    path: tuple[str, ...]
    distributions: tuple[Installed, ...]
    anomalies: tuple[str, ...] = ()
    identities: str = ""
    youngest_ns: int = 0
    is_steady: bool = True


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a capture wants to know, and what it already knows.

    `level` and `include` tell which facts are wanted: a collector may leave out what is
    expensive (NVML, archspec) where `wants` says no.
    """

    root: str
    level: Level
    include: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    image: str | None = None
    probe: ProbeAnswer | None = None
    verify: bool = False

    def wants(self, rule: FactRule) -> bool:
        """Whether facts of this kind can get into the snapshot."""
        if rule.level is not None and rule.level <= self.level:
            return True
        parts = tuple(rule.pattern.split("."))
        return any(may_meet(pattern, parts) for pattern in self.include)


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """A facet's answer: facts by address, and anomalies worth a person's attention."""

    facts: Facts
    anomalies: tuple[str, ...] = ()


class Facet(Protocol):
    """The shape of a facet's module."""

    NAME: str
    FACTS: tuple[FactRule, ...]

    def collect(self, world: World, request: Request) -> Collected:
        """Look, and return what was found."""


def may_meet(pattern: str, parts: Address) -> bool:
    """Whether a pattern of `include:` can name a fact of the kind `parts` (`*` in either)."""
    asked = pattern.split(".")
    for want, have in zip(asked, parts, strict=False):
        if "*" in want or "?" in want or have == "*":
            continue
        if want != have:
            return False
    return True
