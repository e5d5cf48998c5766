"""The installed distributions: version, build, and where each came from.

Identity is the version and, from the platform level on, the build digest. A direct origin (a
commit, an archive, an editable checkout) is identity only as long as no build digest says more
(case 40: only the README changed); otherwise it is kept for rebuilding.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from envstage.facets.contract import Collected, FactRule, Installed, Request
from envstage.facets.declared import declared_names
from envstage.facets.locations import location_of
from envstage.facets.origin import OWN, Origin, origin_of
from envstage.snapshot.model import Address, Facts, Level, Unknown, Value
from envstage.world import World

if TYPE_CHECKING:
    from envstage.facets.verification import Verified

NAME: Final = "packages"
FACTS: Final = (
    FactRule("packages.*.version", Level.SOFTWARE, "the version as its metadata spells it"),
    FactRule(
        "packages.*.source",
        Level.SOFTWARE,
        "commit, archive or content of a package that no index served; "
        "counts where no build digest does",
    ),
    FactRule("packages.*.build", Level.PLATFORM, "digest of the files that can act"),
    FactRule("packages.*.tags", Level.PLATFORM, "the wheel's tags", counts=False),
    FactRule("packages.*.url", Level.SOFTWARE, "where it was installed from", counts=False),
    FactRule("packages.*.commit", Level.SOFTWARE, "the commit installed", counts=False),
    FactRule("packages.*.subdirectory", Level.SOFTWARE, "its folder in there", counts=False),
    FactRule("packages.*.editable", Level.SOFTWARE, "where an editable install lies", counts=False),
    FactRule(
        "packages.*.changes",
        Level.SOFTWARE,
        "digest of what an editable checkout has beside its commit",
        counts=False,
    ),
    FactRule("packages.*.note", Level.SOFTWARE, "what rebuilding it needs", counts=False),
    FactRule("packages.*.installer", None, "the program that installed it"),
    FactRule(
        "packages.*.location",
        None,
        "whose folder it lies in: the environment's, its base interpreter's, the user's, another",
    ),
    FactRule(
        "packages.*.metadata",
        None,
        "digest of its METADATA, in the view of a run that read it",
    ),
    FactRule("tooling.*.version", None, "envstage, and what only envstage needs"),
)
# Installers and build tools change nothing that a stage computes (case 27). They are kept for
# rebuilding, and count for a view that names them.
TOOLING: Final = frozenset({"pip", "uv", "setuptools", "wheel"})
OURSELVES: Final = "envstage"
TOOLING_MARK: Final = "tooling"
# envstage and all that it needs, under every Python: where nothing else does, no snapshot has them.
OURS: Final = frozenset(
    "archspec envstage gitdb gitpython markdown-it-py mdurl msgspec nvidia-ml-py packaging "
    "platformdirs pygments pyyaml rich ruamel-yaml ruamel-yaml-clib smmap tomli "
    "typing-extensions".split()
)
# Installers whose `REQUESTED` says nothing (https://github.com/astral-sh/uv/issues/13278).
_MARKS_EVERYTHING: Final = frozenset({"uv"})


def collect(world: World, request: Request) -> Collected:
    """Every distribution that the probe found."""
    if request.probe is None:
        return Collected(facts={})
    facts: dict[Address, Value] = {}
    anomalies = list(request.probe.anomalies)
    ours = _ours(world, request.root, request.probe.distributions)
    verified = _verified(world, request)
    for installed in request.probe.distributions:
        if installed.name in ours:
            # A mark: these are in no snapshot and no view that does not name or use them.
            facts[TOOLING_MARK, installed.name, "version"] = installed.version
        # A checkout of envstage is in no picture; its files are not read to say so.
        is_self = installed.name == OURSELVES
        origin = Origin() if is_self else origin_of(world, request.root, installed)
        anomalies.extend(origin.anomalies)
        for name, value in _package(installed, origin).items():
            facts["packages", installed.name, name] = value
        location = location_of(world, request.probe, installed.location)
        facts["packages", installed.name, "location"] = location
        found = verified.get(installed.name)
        if found is not None:
            facts["packages", installed.name, "build"] = found.build
            anomalies.append(f"{installed.name}: edited in place: {', '.join(found.edited[:3])}")
    return Collected(facts=facts, anomalies=tuple(anomalies))


def _verified(world: World, request: Request) -> "Mapping[str, Verified]":
    if not request.verify or request.probe is None:
        return {}
    from functools import partial

    from envstage.facets.verification import verify  # only where it is asked for

    world.witness("files", "", None)
    return verify(
        request.probe.distributions, partial(world.progress, "verifying the installed files")
    )


def only_ours(distributions: tuple[Installed, ...], declared: frozenset[str]) -> frozenset[str]:
    """envstage and the distributions that nothing but envstage needs.

    A distribution that was asked for by name (`REQUESTED`, or in the project's files where the
    installer does not tell), that another installer brought, or that any other one requires, be
    it for an extra, is not ours: doubt counts it.
    """
    by_name = {each.name: each for each in distributions}
    if OURSELVES not in by_name:
        return frozenset()
    needed = _reachable({OURSELVES}, by_name, with_extras=False)
    installer = by_name[OURSELVES].installer
    others = {
        each.name
        for each in distributions
        if each.name not in needed
        or each.name in declared
        or each.installer != installer
        or (each.is_requested and each.installer not in _MARKS_EVERYTHING)
    }
    # What needs envstage (a project, for its development) does not need what envstage needs.
    elsewhere = {name: each for name, each in by_name.items() if name != OURSELVES}
    return frozenset(needed - _reachable(others, elsewhere, with_extras=True))


def _ours(world: World, root: str, distributions: tuple[Installed, ...]) -> frozenset[str]:
    if all(each.name != OURSELVES for each in distributions):
        return frozenset()
    return only_ours(distributions, declared_names(world, root))


def is_tooling(facts: Facts, name: str) -> bool:
    """Whether a package counts only where a view names it or a run used it (case 27)."""
    return name in TOOLING or (TOOLING_MARK, name, "version") in facts


def is_own(facts: Facts, name: str) -> bool:
    """Whether a package is an editable install of the project itself."""
    return facts.get(("packages", name, "note")) == OWN


def _reachable(names: set[str], by_name: Mapping[str, Installed], *, with_extras: bool) -> set[str]:
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        waiting.extend(by_name[name].requires)
        if with_extras:
            waiting.extend(by_name[name].extras)
    return seen


def _package(installed: Installed, origin: Origin) -> dict[str, Value]:
    facts: dict[str, Value] = {"version": installed.version or Unknown("its metadata has none")}
    if origin.editable is None:
        if installed.build is not None:
            facts["build"] = installed.build
        elif installed.build_problem is not None:
            facts["build"] = Unknown(installed.build_problem)
    if installed.tags:
        facts["tags"] = installed.tags
    if installed.installer:
        facts["installer"] = installed.installer
    if installed.metadata_digest:
        facts["metadata"] = installed.metadata_digest
    facts.update(origin.facts())
    return facts
