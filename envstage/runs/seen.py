"""What a command was seen to use, for its receipt: also where it failed or was killed."""

import hashlib
import os
from collections.abc import Sequence
from typing import Final

from envstage.facets.imports import Names
from envstage.observer.events import Report
from envstage.observer.observation import Observation, combine
from envstage.project import Project
from envstage.receipts.libraries import inside_torch, libraries
from envstage.receipts.model import Observed
from envstage.receipts.processes import mapped, processes_of
from envstage.runs.attribution import Owners, observed_selection
from envstage.runs.guard import Guarded
from envstage.snapshot.model import Facts, Value
from envstage.views.selection import Selection

_FAILED: Final = "the command did not end well: it may have used more than it reported"
_CODE_AT_MOST: Final = 2000
_CODE_LIMIT_BYTES: Final = 16 * 1024 * 1024


def observed_in(
    project: Project,
    guarded: Guarded,
    reports: Sequence[Report],
    began_s: float,
    doubts: Sequence[str],
) -> Observed:
    """What the reports of a command's processes say.

    Args:
        doubts: what else the guard has reason to doubt.
    """
    observation = guarded.observation or combine(reports)
    answer, names = guarded.before.capture.answer, guarded.before.names
    facts: Facts = guarded.before.capture.facts
    if guarded.observation is None:  # nothing is finalised by it: the guard did not ask further
        doubts = (*doubts, _FAILED)
    all_doubts = tuple(sorted({*observation.doubts, *doubts}))
    if answer is None or names is None:
        return Observed(is_complete=False, doubts=all_doubts, processes=processes_of(reports))
    selection = observed_selection(observation, answer, names, project.config.tools)
    owners = Owners(answer, names)

    def owner(path: str) -> tuple[str, str] | None:
        name = owners.owner(path) or _of_bundle(path, facts)
        return (name, str(_version(facts, name) or "")) if name else None

    processes, found = processes_of(reports), libraries(mapped(reports), owner)
    return Observed(
        is_complete=not all_doubts,
        doubts=all_doubts,
        packages={name: _version(facts, name) for name in sorted(selection.packages)},
        names=tuple(sorted(selection.modules)),
        files=tuple(sorted(selection.files)),
        code=_code(project, observation, names),
        programs=observation.programs,
        gpu=observation.gpu,
        variables=_variables(guarded, selection),
        entry_points=tuple(sorted(selection.entry_points)),
        unseen=observation.unseen,
        libraries=(*found, *inside_torch(found, [each.settings for each in processes])),
        processes=processes,
    )


def _version(facts: Facts, name: str) -> str | None:
    value: Value = facts.get(("packages", name, "version"))
    return value if isinstance(value, str) else None


def _of_bundle(path: str, facts: Facts) -> str | None:
    """The distribution whose wheel brought libraries along, in the folder that auditwheel makes:
    `scikit_learn.libs/libgomp-….so`."""
    folder = os.path.basename(os.path.dirname(path))
    name = folder.removesuffix(".libs").replace("_", "-").replace(".", "-").lower()
    is_known = folder.endswith(".libs") and _version(facts, name) is not None
    return name if is_known else None


def _variables(guarded: Guarded, selection: Selection) -> dict[str, str]:
    found = guarded.before.project(guarded.view, selection).facts
    return {
        address[1]: str(value)
        for address, value in sorted(found.items())
        if address[0] == "variables" and value is not None
    }


def _code(project: Project, observation: Observation, names: Names) -> dict[str, str]:
    root = os.path.realpath(project.root)
    digests = {}
    paths = [path for path in observation.files if names.is_code(path)]
    for path in paths[:_CODE_AT_MOST]:
        try:
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read(_CODE_LIMIT_BYTES)).hexdigest()
        except OSError:
            continue
        relative = os.path.relpath(os.path.realpath(path), root).replace(os.sep, "/")
        digests[relative] = f"sha256:{digest}"
    return digests
