"""Why a run's facts are in its view: who imported a package, who looked for a name in vain."""

import os

from envstage.facets.contract import ProbeAnswer
from envstage.facets.imports import Names
from envstage.observer.observation import Observation
from envstage.runs.attribution import Owners

_OTHERS = "the program"


def reasons_of(
    observation: Observation, probe: ProbeAnswer, names: Names, root: str
) -> dict[str, str]:
    """A reason in words by written address: `packages.numpy` → `imported by src/train.py`.

    Of several that asked, the project's own code comes first, then packages by name.
    """
    owners = Owners(probe, names)
    askers: dict[str, set[str]] = {}
    for name, path in observation.askers:
        askers.setdefault(name, set()).add(_who(path, owners, names, root))
    found: dict[str, set[str]] = {}
    for name, origin in observation.found:
        owner = owners.owner(origin) if origin else None
        if owner is not None:
            found.setdefault(owner, set()).update(askers.get(name, set()) - {owner})
    reasons = {
        f"packages.{owner}": f"imported by {_first(who)}" for owner, who in found.items() if who
    }
    for name in observation.missing:
        who = _first(askers.get(name, set()))
        reasons[f"modules.{name}"] = f"looked up and not found by {who}"
    return reasons


def _who(path: str, owners: Owners, names: Names, root: str) -> str:
    if names.is_code(path):
        return os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/")
    return owners.owner(path) or _OTHERS


def _first(who: set[str]) -> str:
    """One of those that asked: the project's own files, then packages, then the rest."""
    ranked = sorted(who or {_OTHERS}, key=lambda each: ("." not in each, each == _OTHERS, each))
    more = len(ranked) - 1
    return f"{ranked[0]} and {more} more" if more > 0 else ranked[0]
