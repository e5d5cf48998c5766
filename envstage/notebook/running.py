"""The running interpreter as an environment: what the engine says of it, and what only we see."""

import os
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Final

import msgspec

from envstage import config_file as configuration
from envstage.capture.assemble import snapshot_of
from envstage.capture.collect import Capture, collect
from envstage.config import Config, Environment
from envstage.errors import CaptureError, EnvstageError
from envstage.facets import catalogue
from envstage.facets.contract import ProbeAnswer, Request
from envstage.notebook.startup import as_started
from envstage.project import Project, find_root
from envstage.snapshot.model import Facts, Level, Snapshot
from envstage.snapshot.words import printable
from envstage.world import Machine, World

# Frameworks of which an upgrade while they are loaded is worth a word.
_WATCHED: Final = (
    "numpy pandas scipy sklearn torch torchvision transformers tensorflow jax jaxlib".split()
)


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the running interpreter.

    Attributes:
        snapshot: as `envstage capture` would write it for this interpreter.
        capture: all that was seen, the hardware's facts always among it.
        notes: what makes this process another than the environment it was started in.
        changed: the watched variables that this program has set or changed since it was started;
            they are described as they were.
    """

    project: Project
    snapshot: Snapshot
    capture: Capture
    notes: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def look(directory: str, environment: str) -> Running:
    """Capture the running interpreter.

    In a project the configuration says level, watched variables and tools, so that the
    fingerprint is the one of its pipeline. Elsewhere everything counts.

    Raises:
        CaptureError: the interpreter cannot be probed: it is embedded, or broken.
        EnvstageError: the configuration is wrong, or has no such environment.
    """
    if not sys.executable:
        raise CaptureError(
            "this Python is embedded in another program and has no executable to describe",
            fix="Call it from a Python that was started as a program",
        )
    project = _project(directory, environment)
    chosen = project.config.environment(environment)
    environ, changed = as_started(Machine(), project.config.watch)
    world = Machine(environ)
    capture = collect(world, project.root, project.config, chosen)
    if capture.failure is not None:
        raise CaptureError(capture.failure.what, fix=capture.failure.fix)
    snapshot = snapshot_of(capture, project.config)
    if chosen.level < Level.HARDWARE:
        capture = msgspec.structs.replace(
            capture, facts={**_hardware(world, project, capture.answer), **capture.facts}
        )
    return Running(
        project=project,
        snapshot=snapshot,
        capture=capture,
        notes=tuple(live_notes(capture.answer, sys.path, sys.modules)),
        changed=changed,
    )


def live_notes(
    answer: ProbeAnswer | None, path: list[str], modules: Mapping[str, ModuleType]
) -> Iterator[str]:
    """What this process has that a fresh one would not: added folders, packages upgraded since.

    Args:
        path: `sys.path` of this process.
        modules: `sys.modules`; nothing is imported, and no attribute computed.
    """
    if answer is None:
        return
    known = {os.path.realpath(entry) for entry in answer.path}
    for entry in dict.fromkeys(path):
        if entry and os.path.realpath(entry) not in known and _holds_distributions(entry):
            yield (
                f"sys.path has {printable(entry)}, which this program added: the packages in it "
                "are not described. Set PYTHONPATH before Python starts"
            )
    installed = {top: each for each in answer.distributions for top in each.tops}
    for name in _WATCHED:
        loaded = vars(modules[name]).get("__version__") if name in modules else None
        if loaded is None or name not in installed:
            continue
        version = installed[name].version or ""
        if _public(str(loaded)) != _public(version):
            yield (
                f"{name} {printable(str(loaded))} is loaded, {printable(version)} is installed: "
                "restart the kernel, so that what runs is what is described"
            )


def _project(directory: str, environment: str) -> Project:
    try:
        root = find_root(directory)
    except EnvstageError:  # no project, no repository: a notebook anywhere
        root = os.path.abspath(directory)
    if not configuration.exists(root):
        everything = Environment(name=environment, python=sys.executable, level=Level.HARDWARE)
        return Project(root=root, config=Config(environments=(everything,)))
    config = configuration.load(root)
    config.environment(environment)  # an unknown name is an error here
    environments = tuple(
        msgspec.structs.replace(each, python=sys.executable) if each.name == environment else each
        for each in config.environments
    )
    return Project(root=root, config=msgspec.structs.replace(config, environments=environments))


def _hardware(world: World, project: Project, answer: ProbeAnswer | None) -> Facts:
    """The facts of the hardware, which an environment of a lower level does not ask for.

    Asked for apart: an anomaly of the GPU must not become one of a snapshot without GPU.
    """
    request = Request(root=project.root, level=Level.HARDWARE, probe=answer)
    return catalogue.facet("hardware").collect(world, request).facts


def _holds_distributions(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(name.endswith((".dist-info", ".egg-info")) for name in names)


def _public(version: str) -> str:
    return version.partition("+")[0]
