"""`envstage capture`: take the snapshots."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from envstage import layout
from envstage.capture.committed import committed_snapshot
from envstage.capture.engine import as_called
from envstage.capture.recording import Recording
from envstage.capture.set_aside import is_stage, set_aside
from envstage.capture.tracing import keep
from envstage.capture.write import Mode, Outcome, mode_of
from envstage.capture.write import run as run_capture
from envstage.cli import say
from envstage.cli.output import plural, print_json, progress_bar, shown
from envstage.compare.render import as_json, short
from envstage.errors import OK
from envstage.project import Project, find_root, open_project
from envstage.trace.verify import Said
from envstage.world import Machine

if TYPE_CHECKING:
    import argparse

# What no option says otherwise.
DEFAULTS: Final[dict[str, Any]] = {
    "directory": ".",
    "environment": (),
    "view": (),
    "archive_diffs": False,
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
    parser.add_argument(
        "--archive-diffs",
        action="store_true",
        help="keep the edits of editable checkouts beside the snapshot, for `envstage recreate`",
    )
    parser.add_argument("--json", action="store_true", help="the outcome as JSON")


def run(arguments: Any) -> int:
    """Capture, hold or verify; print one line an environment."""
    world = Machine()
    root = find_root(arguments.directory)
    _end_in_order()
    try:
        with progress_bar() as bar:
            recording = Recording(as_called(world).environ, bar)
            project = open_project(root)
            mode: Mode = mode_of(recording)
            outcomes = run_capture(
                recording,
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
    if not arguments.environment and not arguments.view:
        keep(recording, project, outcomes, [text for each in outcomes for text in _said(each)])
    if arguments.archive_diffs:
        _archive_diffs(world, project, outcomes)
    if arguments.json:
        print_json([_json(outcome) for outcome in outcomes])
        return OK
    for outcome in outcomes:
        say(_said(outcome))
    return OK


def _archive_diffs(world: Machine, project: Project, outcomes: Sequence[Outcome]) -> None:
    from envstage.recreate.diffs import archive  # what every `dvc repro` calls does without them
    from envstage.recreate.places import recorded

    for outcome in outcomes:
        if not outcome.is_held:
            snapshot = committed_snapshot(project, outcome.environment, "")
            local = recorded(project, outcome.environment).local
            for text in archive(world, project, snapshot, local):
                say([(text, True)])


def _said(outcome: Outcome) -> list[Said]:
    """What is said of an outcome: a line, and remarks."""
    notes = () if outcome.is_held else outcome.notes
    return [(shown(_line(outcome)), False), *((shown(text), True) for text in notes)]


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
    if layout.SNAPSHOT in outcome.changed_files:
        return f"{head} ({size}) written anew: nothing differs, other facts are recorded"
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
