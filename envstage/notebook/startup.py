"""The variables that Python was started with: what a program sets later is part of the program.

A snapshot describes what a program finds. `set_random_seed(…, deterministic=True)`, a line
`os.environ["OMP_NUM_THREADS"] = "1"`, or importing scikit-learn (through threadpoolctl, it sets
KMP_DUPLICATE_LIB_OK) must not give the environment another fingerprint than the one that the
pipeline took before the program began.
"""

import fnmatch
import re
from collections.abc import Mapping
from typing import Final

from envstage.facets.numerics import DEFAULTS
from envstage.world import World

_BLOCK: Final = "/proc/self/environ"
_THREADS: Final = re.compile(r"[A-Z0-9]+_NUM_THREADS|OMP_THREAD_LIMIT|VECLIB_MAXIMUM_THREADS")
_DEFAULTS: Final = frozenset(variable.name for variable in DEFAULTS)


def as_started(world: World, watch: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The variables, those that facts are made of as they were when Python started.

    Others (HOME, PATH, CUDA_VISIBLE_DEVICES) stay as they are now. Where the system does not keep
    the start (it is Linux that does), all of them.

    Args:
        watch: names and patterns that the configuration adds.

    Returns:
        The variables, and the names of those that the program has changed since.
    """
    now = dict(world.environ)
    start = _at_start(world)
    if start is None:
        return now, ()
    names = sorted(name for name in now.keys() | start.keys() if _is_fact(name, watch))
    changed = tuple(name for name in names if now.get(name) != start.get(name))
    for name in changed:
        now.pop(name, None)
        if name in start:
            now[name] = start[name]
    return now, changed


def _at_start(world: World) -> Mapping[str, str] | None:
    """The block that the kernel keeps; None where there is none, or a program wrote over it."""
    try:
        text = world.read(_BLOCK).decode("utf-8", "surrogateescape")
    except OSError:
        return None
    pairs = [entry.partition("=") for entry in text.split("\0") if entry]
    # setproctitle puts a process's title there.
    if not pairs or not all(name and separator for name, separator, _ in pairs):
        return None
    return {name: value for name, _, value in pairs}


def _is_fact(name: str, watch: tuple[str, ...]) -> bool:
    return (
        name in _DEFAULTS
        or _THREADS.fullmatch(name) is not None
        or any(fnmatch.fnmatchcase(name, pattern) for pattern in watch)
    )
