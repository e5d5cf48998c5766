"""Rows on the level of views: what cannot be changed for real on one machine.

The facts of captured hosts (`tests/data/hosts`) take the place of this machine's, and the
finalised views of the pipeline are projected before and after. So is each variable of the
default list, one by one.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.invalidation.bench import Bench
from benchmarks.invalidation.stages import ALIGN, ALL, GPU, HARDWARE, NONE, PYTHON, SHELL, STAGES
from benchmarks.invalidation.table import ENVSTAGE, VIEWS, Result, Row
from envstage.capture.assemble import Projectors
from envstage.capture.collect import collect
from envstage.capture.committed import read_view
from envstage.facets import catalogue, numerics
from envstage.facets.contract import Request
from envstage.project import open_project
from envstage.snapshot.model import Facts, Level
from envstage.views.selection import selection_of
from envstage.world import Machine, World
from tests.hosts import HOSTS, CapturedHost

_CPU: Final = "linux-skylake-avx512-cgroup1"
_SYSTEM: Final = "debian-12"
# Runs that start programs other than Python: these may read any variable.
_OTHERS: Final = frozenset({SHELL, ALIGN})


class Decision(msgspec.Struct, frozen=True):
    """What should rerun when a host or a variable changes."""

    name: str
    facet: str
    before: str
    after: str
    should: frozenset[str]
    why: str
    edit: tuple[str, str, str] = ("", "", "")


HOST_ROWS: Final = (
    Decision("another microarchitecture", "hardware", _CPU, "linux-haswell-cgroup2", HARDWARE,
             "numeric libraries choose code by it; counts from the hardware level on"),
    Decision("another processor of the same microarchitecture", "hardware", _CPU, _CPU, NONE,
             "the instruction set is the same",
             ("proc/cpuinfo", "Intel(R) Xeon(R)", "Intel(R) Xeon(R) Gold")),
    Decision("memory", "hardware", _CPU, _CPU, NONE, "computes nothing",
             ("proc/meminfo", "MemTotal:", "MemTotal: 1")),
    Decision("another OS release", "system", _SYSTEM, "ubuntu-22.04-docker", ALL,
             "system libraries are others"),
    Decision("another C library", "system", _SYSTEM, "alpine-3.20", ALL,
             "every program uses the C library"),
    Decision("point release of the OS", "system", _SYSTEM, _SYSTEM, NONE,
             "names and build identifiers move with every update (case 43)",
             ("etc/os-release", "PRETTY_NAME=", "BUILD_ID=7\nPRETTY_NAME=")),
    Decision("another kernel", "system", _SYSTEM, _SYSTEM, NONE,
             "no result depends on its patches", ("", "", "6.9.1-new")),
)  # fmt: skip


def variable_decision(name: str) -> tuple[frozenset[str], str]:
    """What should rerun when a variable of the default list is set: by who reads it."""
    unseen = "a program other than Python may read any variable"
    if name.startswith("PYTHON") and not name.startswith("PYTENSOR"):
        return PYTHON, "read by the interpreter"
    if name.startswith(_EVERYWHERE):
        return ALL, "read by a library that any package may bring"
    if name.startswith(_OF_GPUS):
        return _OTHERS | {GPU}, f"read by the GPU's libraries; {unseen}"
    return _OTHERS, f"read by a package that no stage imports; {unseen}"


_EVERYWHERE: Final = (
    *("GLIBC_", "MKL_", "OPENBLAS_", "BLIS_", "FLEXIBLAS", "ONEDNN_", "DNNL_", "OMP_", "KMP_"),
)
_OF_GPUS: Final = (
    *("NVIDIA_", "CUDA_", "CUBLAS", "CUDNN_", "NCCL_", "HSA_", "HIPBLASLT_", "MIOPEN_"),
    "ROCBLAS_",
)


def run(bench: Bench) -> Iterator[Result]:
    """Every row of this file."""
    views = _Views(bench)
    for decision in HOST_ROWS:
        facts = partial(views.hosts, decision)
        yield _result(views, decision.name, "machine", decision.should, decision.why, facts)
    for variable in numerics.DEFAULTS:
        should, why = variable_decision(variable.name)
        facts = partial(views.variable, variable.name)
        yield _result(views, f"{variable.name} set", "each default variable", should, why, facts)


def names() -> tuple[str, ...]:
    """The names of these rows, as they are selected by."""
    return (
        *(f"machine: {each.name}" for each in HOST_ROWS),
        *(f"each default variable: {each.name} set" for each in numerics.DEFAULTS),
    )


def _result(
    views: "_Views",
    name: str,
    group: str,
    should: frozenset[str],
    why: str,
    facts: Callable[[], tuple[Facts, Facts]],
) -> Result:
    row = Row(group=group, name=name, why=why, should=should, change=lambda bench: None)
    start = time.monotonic()
    did = views.changed(*facts())
    return Result(row=row, did={ENVSTAGE: did}, kind=VIEWS, seconds=time.monotonic() - start)


class _Views:
    """The finalised views of the pipeline, and this machine's facts."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.world = Machine(bench.variables())
        self.project = open_project(str(bench.root))
        environment = self.project.config.environment("main")
        self.capture = collect(self.world, self.project.root, self.project.config, environment)
        self.projectors = Projectors(self.world, self.project.root, self.capture)

    def changed(self, before: Facts, after: Facts) -> frozenset[str]:
        """The stages whose view is another one under the second facts."""
        return frozenset(
            stage for stage in STAGES if self._view(stage, before) != self._view(stage, after)
        )

    def hosts(self, decision: Decision) -> tuple[Facts, Facts]:
        """This machine's facts, with a facet's of two captured hosts."""
        before = self._host(decision.before, decision.facet)
        return before, self._host(decision.after, decision.facet, decision.edit)

    def variable(self, name: str) -> tuple[Facts, Facts]:
        """This machine's facts, without and with a variable."""
        environ = {**self.bench.variables(), name: "1"}
        return self.capture.facts, self._with(Machine(environ), "variables")

    def _view(self, stage: str, facts: Facts) -> object:
        document = read_view(self.project, "main", stage)
        assert document is not None, f"no view of {stage}"
        projectors = Projectors(
            self.world, self.project.root, msgspec.structs.replace(self.capture, facts=facts)
        )
        view = self.project.config.view(stage)
        return projectors.project(view, selection_of(document)).document

    def _with(self, world: World, facet: str) -> Facts:
        request = Request(
            root=self.project.root,
            level=Level.HARDWARE,
            watch=self.project.config.watch,
            probe=None if facet == "system" else self.capture.answer,
        )
        found: Mapping[tuple[str, ...], object] = (
            catalogue.facet(facet).collect(world, request).facts
        )
        kept = {
            address: value
            for address, value in self.capture.facts.items()
            if address[0] != facet and not (facet == "hardware" and address[1:2] == ("cpu",))
        }
        if facet == "hardware":  # what a captured host cannot tell of this machine's GPUs
            kept = dict(self.capture.facts)
            found = {
                key: value for key, value in found.items() if key[1] in ("cpu", "memory_bytes")
            }
        return {**kept, **found}  # type: ignore[dict-item]

    def _host(self, name: str, facet: str, edit: tuple[str, str, str] = ("", "", "")) -> Facts:
        return self._with(_Edited(HOSTS / name, *edit), facet)


class _Edited(CapturedHost):
    """A captured host with one text of one file replaced; without a file: its kernel."""

    def __init__(self, folder: Path, file: str, old: str, new: str) -> None:
        super().__init__(folder, kernel=new if new and not file else None)
        self._file, self._old, self._new = file, old, new

    def read(self, path: str, limit_bytes: int = 16 * 1024 * 1024) -> bytes:
        content = super().read(path, limit_bytes)
        if self._file and path.lstrip("/") == self._file:
            content = content.replace(self._old.encode(), self._new.encode())
        return content
