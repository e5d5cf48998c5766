"""Run one command as `envstage run` does, and write down what it makes of it.

    python -m benchmarks.observing.guarded RESULT.json -- COMMAND …

In the folder of a project whose configuration names the view `stage`.
"""

import os
import sys
from pathlib import Path

import msgspec

from envstage.capture.write import Mode
from envstage.capture.write import run as capture
from envstage.project import open_project
from envstage.runs.finalise import used_by
from envstage.runs.guard import guard
from envstage.views.selection import Selection
from envstage.world import Machine


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What envstage made of a run; `doubts` keep its view wide."""

    returncode: int
    installed: int = 0
    processes: int = 0
    selection: Selection | None = None
    doubts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    found: tuple[tuple[str, str], ...] = ()
    asked: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def run(argv: list[str]) -> Seen:
    """Capture, guard, observe, attribute: the code that a stage goes through."""
    world = Machine()
    project = open_project(os.getcwd())
    capture(world, project, mode=Mode.CAPTURE, names=(), argv=())
    guarded = guard(world, project, project.config.view("stage"), argv)
    if guarded.observation is None or guarded.after is None:
        return Seen(returncode=guarded.ending.returncode)
    used = used_by(project, guarded)
    answer = guarded.after.capture.answer
    return Seen(
        returncode=0,
        installed=len(answer.distributions) if answer else 0,
        names=tuple(each.name for each in answer.distributions) if answer else (),
        processes=len(guarded.observation.processes),
        selection=used.selection,
        doubts=used.doubts,
        files=guarded.observation.files,
        found=guarded.observation.found,
        asked=guarded.observation.distributions,
    )


if __name__ == "__main__":
    result = Path(sys.argv[1]).resolve()
    result.write_bytes(msgspec.json.encode(run(sys.argv[3:])))
