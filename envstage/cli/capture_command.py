"""`envstage capture`: take the snapshots."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from envstage.capture.engine import as_called
from envstage.capture.set_aside import is_stage, set_aside
from envstage.capture.write import Mode, Outcome, mode_of
from envstage.capture.write import run as run_capture
from envstage.cli.output import note, plural, print_json
from envstage.compare.render import as_json, short
from envstage.errors import OK
from envstage.project import Project, find_root, open_project
from envstage.world import Machine

if TYPE_CHECKING:
    import argparse

# What no option says otherwise.
DEFAULTS: Final[dict[str, Any]] = {
    "directory": ".",
    "environment": (),
    "view": (),
    "json": False,
}


def add_arguments(parser: "argparse.ArgumentParser") -> None:
    """Declare options."""
    parser.epilog = (
        "ENVSTAGE_MODE=hold keeps every committed snapshot (a reader's laptop);\n"
        "ENVSTAGE_MODE=verify fails where this machine differs (CI).\n"
        "exit codes: 0 written, unchanged or held; 1 verify found a difference; 2 misuse;\n"
        "3 a fact that a view needs could not be captured (the old files stay)."
    )
    parser.add_argument(
        "-e",
        "--environment",
        action="append",
        default=[],
        metavar="NAME",
        help="capture this environment only (may be repeated)",
    )
    parser.add_argument(
        "--view",
        action="append",
        default=[],
        metavar="NAME",
        help="refresh this view only (may be repeated)",
    )
    parser.add_argument("--json", action="store_true", help="the outcome as JSON")


def run(arguments: Any) -> int:
    """Capture, hold or verify; print one line an environment."""
    world = Machine()
    root = find_root(arguments.directory)
    _end_in_order()
    try:
        project = open_project(root)
        mode: Mode = mode_of(world)
        outcomes = run_capture(
            as_called(world),
            project,
            mode=mode,
            names=arguments.environment or _environments_of(project, arguments.view),
            views=arguments.view,
            argv=sys.argv,
        )
    except BaseException:  # also Ctrl-C and a scheduler's SIGTERM: the stage fails all the same
        if is_stage(world):
            set_aside(root)
        raise
    if arguments.json:
        print_json([_json(outcome) for outcome in outcomes])
        return OK
    for outcome in outcomes:
        print(_line(outcome))
        for text in outcome.notes if not outcome.is_held else ():
            note(text)
    return OK


def _end_in_order() -> None:
    """Let a signal that ends this process be an exception: what was begun is put in order."""

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        # Of a signal that is ignored (nohup) nothing is asked.
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def _environments_of(project: Project, views: Sequence[str]) -> Sequence[str]:
    return list(dict.fromkeys(project.config.view(name).environment for name in views))


def _line(outcome: Outcome) -> str:
    head = f"environment {outcome.environment}: {outcome.fingerprint[:14]}"
    size = f"{plural(outcome.packages, 'package')}, level {outcome.level}"
    if outcome.is_held:
        return f"{head} ({size}) {outcome.notes[0]}"
    if outcome.is_new:
        return f"{head} ({size}) captured"
    if outcome.changes:
        return f"{head} ({size}) changed: {short(outcome.changes)}"
    return f"{head} ({size}) unchanged"


def _json(outcome: Outcome) -> dict[str, object]:
    return {
        "environment": outcome.environment,
        "fingerprint": outcome.fingerprint,
        "level": outcome.level,
        "packages": outcome.packages,
        "held": outcome.is_held,
        "new": outcome.is_new,
        "changes": as_json(outcome.changes),
        "changed_files": list(outcome.changed_files),
        "notes": list(outcome.notes),
    }
