"""What can happen to an environment between two captures: each takes a `Ground` and changes it.

One that cannot be made where the ground is as it is raises an error of some kind; one that knows
how to take itself back says so in `Ground.back`.
"""

import os
import time
from collections.abc import Callable
from typing import TypeAlias

from tests.trace.edits import EDITS
from tests.trace.ground import Ground
from tests.trace.mutations import machine, packages, project

Mutation: TypeAlias = Callable[[Ground], object]

OUTPUTS = ("environment/*.json", "environment/*.*", "environment/*/*.json", "environment/.git*")


def _edit(*patterns: str) -> Mutation:
    """A mutation: one of the edits, of one of the files that there are."""

    def mutation(it: Ground) -> str:
        path = it.rng.choice(it.existing(*patterns))
        name = it.rng.choice(sorted(EDITS))
        kept, look = path.read_bytes(), path.stat()
        EDITS[name](path, it.rng)

        def back() -> None:
            path.write_bytes(kept)
            os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))

        it.back.append(back)
        return f"{name}: {path.relative_to(it.base)}"

    return mutation


def undo(it: Ground) -> None:
    it.back.pop(it.rng.randrange(len(it.back)))()


def wait(it: Ground) -> None:
    """Until the probe keeps what it reads in its cache."""
    time.sleep(2.1)


_METADATA = [f"venv/lib/python*/site-packages/*-info/{name}" for name in packages.METADATA]
# How often, and what.
MUTATIONS: tuple[tuple[int, Mutation], ...] = (
    (4, _edit(*_METADATA)),
    (3, _edit("extra/**/*.py", "project/lib/*", "project/train.py", "home/*")),
    (2, _edit("venv/lib/python*/site-packages/*.p*", "venv/pyvenv.cfg", "bin/*", "egg.egg")),
    (3, _edit(*(f"project/{pattern}" for pattern in OUTPUTS))),
    (2, _edit("project/envstage.yaml", "project/params.yaml", "project/pyproject.toml")),
    (1, _edit("project/.envstage/archive/*/*/*", "project/envs/*", "project/.snakemake/conda/*")),
    (2, _edit("system/**/*", "venv/conda-meta/*", "venv/lib/*/site-packages/torch/*.py", "more/*")),
    *((3, each) for each in (packages.install, packages.uninstall, packages.relink)),
    *((3, each) for each in (machine.variable, machine.search_path, project.run, undo, undo)),
    *((2, each) for each in (packages.add_to_info, packages.add_module, packages.path_file)),
    *((2, each) for each in (packages.editable, packages.start_up, packages.egg, project.git)),
    *((1, each) for each in (packages.record_twice, packages.rename_info, packages.conda)),
    *((1, each) for each in (packages.rename_file_in_info, packages.swap_for_a_copy)),
    *((1, each) for each in (packages.rename_folder, machine.interpreter, machine.wrapper)),
    *((1, each) for each in (machine.pyvenv, machine.library, machine.affinity, machine.clock)),
    *((1, each) for each in (machine.os_package, machine.device, machine.conda_file, machine.tool)),
    *((1, each) for each in (project.configuration, project.another_place_of_configuration)),
    *((1, each) for each in (project.without_configuration, project.forget, project.spoil)),
    *((1, each) for each in (project.output_folder, project.stray, wait)),
)
