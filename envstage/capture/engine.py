"""Which pipeline engine started this process, and what it changed in the environment.

Snakemake sets `OMP_NUM_THREADS` and the like for the shell of every job (`snakemake/shell.py`).
The machine is described as the person who called Snakemake has it: else the environment rule's
own job would see another one than the process that decided whether it has to run.
"""

import enum
import json
from collections.abc import Mapping
from typing import Final

from envstage.capture.set_aside import is_stage
from envstage.world import Machine, World

# Set by the provided rule in every process that reads the Snakefile; jobs inherit it.
VARIABLE: Final = "ENVSTAGE_SNAKEMAKE"
_OVERWRITTEN: Final = (
    *("OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "TMPDIR"),
)


class Engine(enum.Enum):
    """What runs a stage's command."""

    DVC = "DVC"
    SNAKEMAKE = "Snakemake"


def engine_of(world: World) -> Engine | None:
    """The engine that started this process; None: a person, or something unknown."""
    if is_stage(world):
        return Engine.DVC
    return Engine.SNAKEMAKE if world.environ.get(VARIABLE) else None


def marked(environ: Mapping[str, str]) -> str:
    """The value of `VARIABLE`: the variables that Snakemake is about to overwrite, as they are.

    Where it is set already, this is a process below one that set it, and its value is right.
    """
    return environ.get(VARIABLE) or json.dumps({name: environ.get(name) for name in _OVERWRITTEN})


def as_called(world: World) -> World:
    """The machine with the variables of whoever called Snakemake."""
    value = world.environ.get(VARIABLE)
    if not value:
        return world
    environ = dict(world.environ)
    try:
        before = json.loads(value)
        changes = {name: before[name] for name in _OVERWRITTEN if name in before}
    except (ValueError, TypeError, RecursionError):
        return world
    for name, text in changes.items():
        if isinstance(text, str):
            environ[name] = text
        else:
            environ.pop(name, None)
    return Machine(environ)
