"""How many threads the numeric runtimes start: sums split otherwise give other last digits.

A runtime's count is what its variable says, or else what it finds on the machine. So eight cores
without a variable and `OMP_NUM_THREADS=8` on sixty-four are the same fact. The runtimes go by
the processors that they may run on, not by a container's quota of processor time: that quota is
in `hardware.threads.default` only, which is what joblib and Python tell a program that asks.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Final

from envstage.facets.contract import FactRule, Request
from envstage.facets.cpu import numbers_of, reason
from envstage.snapshot.model import Address, Level, NotApplicable, Unknown, Value
from envstage.world import World

OMP: Final = FactRule(
    "hardware.threads.omp", Level.HARDWARE, "threads of an OpenMP region: torch, scikit-learn"
)
FACTS: Final = (
    OMP,
    FactRule("hardware.threads.mkl", Level.HARDWARE, "threads of MKL: torch, conda's numpy"),
    FactRule(
        "hardware.threads.openblas", Level.HARDWARE, "threads of OpenBLAS: numpy and scipy wheels"
    ),
    FactRule("hardware.threads.veclib", Level.HARDWARE, "threads of Apple's Accelerate"),
    # Works element by element: the same bits whatever the count.
    FactRule("hardware.threads.numexpr", Level.HARDWARE, "threads of numexpr", counts=False),
    # The number of processors changes nothing by itself: it acts through the runtimes above. If
    # it counted, setting OMP_NUM_THREADS could never make two machines equal.
    FactRule("hardware.threads.default", None, "processors that a program may use, quota included"),
)

STATUS: Final = "/proc/self/status"
CGROUPS: Final = "/proc/self/cgroup"
CGROUP_ROOT: Final = "/sys/fs/cgroup"


def collect(world: World, request: Request) -> dict[Address, Value]:
    """The threads of every runtime, and of a program that asks the machine."""
    facts: dict[Address, Value] = {("hardware", "threads", "default"): _default(world)}
    if request.wants(OMP):
        for runtime, count in _runtimes(world):
            facts["hardware", "threads", runtime] = count
    return facts


def _runtimes(world: World) -> Iterator[tuple[str, Value]]:
    environ = world.environ
    processors = world.cpu_count()
    omp = _asked(environ, "OMP_NUM_THREADS")
    yield "omp", _at_most(_asked(environ, "OMP_THREAD_LIMIT"), omp or processors)
    yield "mkl", _asked(environ, "MKL_NUM_THREADS") or omp or _cores(world)
    blas = _asked(environ, "OPENBLAS_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS")
    blas = blas or _asked(environ, "GOTO_NUM_THREADS") or omp
    yield "openblas", min(blas or processors, processors)  # never more than there are
    yield "numexpr", _asked(environ, "NUMEXPR_NUM_THREADS") or omp or processors
    yield "veclib", _veclib(world)


def _at_most(limit: int | None, count: int) -> int:
    return count if limit is None else min(count, limit)


def _asked(environ: Mapping[str, str], *names: str) -> int | None:
    """The first variable that holds a count; a runtime passes over what is not one.

    OpenMP takes one number a nesting level, `4,2`: the first is that of the outermost.
    """
    for name in names:
        found = re.match(r"\s*\+?0*([1-9]\d{0,8})\s*(,|$)", environ.get(name, ""))
        if found:
            return int(found[1])
    return None


def _veclib(world: World) -> Value:
    if world.platform != "darwin":
        return NotApplicable("Accelerate is part of macOS")
    return _asked(world.environ, "VECLIB_MAXIMUM_THREADS") or world.cpu_count()


def _cores(world: World) -> int:
    """The physical cores open to this process: MKL starts one thread on each.

    Each logical processor names its siblings, itself among them, in the same words as they do.
    Where the kernel does not tell, the logical processors.
    """
    try:
        siblings = {world.read(path).strip() for path in _topology(world)}
    except OSError:
        return world.cpu_count()
    return len(siblings) or world.cpu_count()


def _topology(world: World) -> Iterator[str]:
    text = world.read(STATUS).decode("utf-8", "replace")
    allowed = re.search(r"^Cpus_allowed_list:\s*([\d,-]+)$", text, re.MULTILINE)
    for number in numbers_of(allowed[1]) if allowed else ():
        yield f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list"


def _default(world: World) -> Value:
    if world.platform != "linux":
        return world.cpu_count()
    try:
        quotas = tuple(_quotas(world))
    except OSError as error:
        return Unknown(f"cannot read the cgroup's quota: {reason(error)}")
    return max(1, min((world.cpu_count(), *quotas)))


def _quotas(world: World) -> Iterator[int]:
    """Every quota that binds this process, as processors, rounded up: its cgroup's and above."""
    for controllers, path in _cgroups(world):
        for folder in _upward(path):
            if not controllers:
                yield from _quota_v2(world, f"{CGROUP_ROOT}{folder}/cpu.max")
            elif "cpu" in controllers.split(","):
                yield from _quota_v1(world, f"{CGROUP_ROOT}/{controllers}{folder}")
                yield from _quota_v1(world, f"{CGROUP_ROOT}/cpu{folder}")


def _cgroups(world: World) -> Iterator[tuple[str, str]]:
    """This process's cgroups: controllers (none: version 2) and path."""
    for line in _text(world, CGROUPS).splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            yield parts[1], parts[2]


def _upward(path: str) -> Iterator[str]:
    """The folder and all above it. Inside a container only the topmost may be there."""
    while path not in ("/", ""):
        yield path
        path = posixpath.dirname(path)
    yield ""


def _quota_v2(world: World, path: str) -> Iterator[int]:
    quota, _, period = _text(world, path).strip().partition(" ")
    yield from _processors(quota, period)


def _quota_v1(world: World, folder: str) -> Iterator[int]:
    quota = _text(world, f"{folder}/cpu.cfs_quota_us").strip()
    if quota:
        yield from _processors(quota, _text(world, f"{folder}/cpu.cfs_period_us").strip())


def _processors(quota: str, period: str) -> Iterator[int]:
    """Nothing where there is no limit: `max`, or `-1`."""
    if quota.isdigit() and period.isdigit() and int(period):
        yield -(-int(quota) // int(period))


def _text(world: World, path: str) -> str:
    """The file's text; nothing for a file that is not there."""
    try:
        return world.read(path).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""
