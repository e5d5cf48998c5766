"""`envstage why STAGE`: which facts made this stage rerun, and which would now."""

import argparse
from typing import Any

from envstage import layout
from envstage.capture.committed import read_view
from envstage.cli.diff_command import print_differences
from envstage.cli.output import print_json
from envstage.cli.snakemake_outputs import explain_output, is_output
from envstage.compare.render import as_json
from envstage.config import View
from envstage.errors import OK, EnvstageError
from envstage.pipelines.dvc_accept import read_record
from envstage.pipelines.dvc_history import Run, Tracked, last_runs, run_before
from envstage.pipelines.dvc_usage import Usage
from envstage.project import Project, open_project
from envstage.snapshot.words import printable
from envstage.views.changes import Changes, changes
from envstage.views.document import ViewDocument, view_fingerprint
from envstage.world import Machine, World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare options."""
    parser.epilog = (
        "Compares views only, and executes nothing of the repository: `dvc status STAGE` tells of\n"
        "code, data and parameters, `envstage check --view VIEW` of this machine as it is now."
    )
    parser.add_argument(
        "stage",
        metavar="STAGE",
        help="a tracked stage (`train`, `train@a`), or an output of a Snakemake rule",
    )
    parser.add_argument("--json", action="store_true", help="the same as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Explain the last run, and the next one."""
    world = Machine()
    project = open_project(arguments.directory)
    if is_output(project, arguments.stage):
        return explain_output(world, project, arguments)
    view, usage = Tracked(world, project).of(arguments.stage)
    runs = [
        run
        for run in last_runs(world, project, view, usage)
        if "@" not in arguments.stage or run.address == arguments.stage
    ]
    if not runs:
        raise EnvstageError(
            "it has not run yet", where=f"stage {arguments.stage}", fix="Run `dvc repro`"
        )
    explained = [_explained(world, project, view, usage, run) for run in runs]
    if arguments.json:
        print_json([each.as_json() for each in explained])
    else:
        for each in explained:
            each.print()
    return OK


class _Explained:
    def __init__(
        self,
        view: View,
        run: Run,
        before: Run | None,
        now: ViewDocument | None,
        accepted: list[dict[str, Any]],
    ) -> None:
        self.view = view
        self.run = run
        self.before = before
        self.now = now
        self.accepted = accepted

    def as_json(self) -> dict[str, Any]:
        """The explanation for programs."""
        last = _between(self.before.view if self.before else None, self.run.view) or Changes()
        following = _between(self.run.view, self.now) or Changes()
        return {
            "stage": self.run.address,
            "view": view_fingerprint(self.run.view) if self.run.view else None,
            "last": as_json(last.environment),
            "last_use": {"begun": last.begun, "ceased": last.ceased},
            "last_changed": self.run.changed_since(self.before) if self.before else (),
            "next": as_json(following.environment),
            "accepted": self.accepted,
        }

    def print(self) -> None:
        """The explanation for people."""
        print(f"stage {printable(self.run.address)}")
        if self.run.view is None:
            print(f"  the view of its last run (md5 {self.run.md5}) is nowhere to be found:")
            print("  it was never committed, and .envstage/ was deleted")
            return
        if self.before is None:
            print("  last: no earlier run is known that depended on anything else")
        else:
            self._print_last(self.before)
        self._print_next()
        for entry in self.accepted:
            print(
                f"  accepted by {printable(str(entry.get('who')))} on {entry.get('when')}: "
                f"{printable(str(entry.get('why')))}"
            )

    def _print_last(self, before: Run) -> None:
        found = _between(before.view, self.run.view)
        changed = ", ".join(printable(name) for name in self.run.changed_since(before))
        if found is None:
            print("  last: it ran again because of something that is no longer on record")
            return
        if found.environment:
            print(f"  last: {self._what_happened(before)}:")
            print_differences(found.environment, "", indent="    ")
            if changed:
                print(f"    and changed: {changed}")
        elif changed:
            print(f"  last: its environment was the same; changed: {changed}")
        else:
            print("  last: its environment was the same; its code used other parts of it")
        _print_use(found)

    def _what_happened(self, before: Run) -> str:
        old = view_fingerprint(before.view) if before.view else None
        is_accepted = any(entry.get("from") == old for entry in self.accepted)
        return "accepted without a run, in spite of" if is_accepted else "it ran again because of"

    def _print_next(self) -> None:
        found = _between(self.run.view, self.now)
        if found is None:
            where = layout.view_file(self.view.environment, self.view.name)
            print(f"  next: {where} is not there: `envstage capture` writes it, or says why not")
            return
        if found.environment:
            print("  next: it would run again because of:")
            print_differences(found.environment, "", indent="    ")
        else:
            print("  next: its environment is what it was at its last run (as of the last capture)")
        _print_use(found)


def _explained(world: World, project: Project, view: View, usage: Usage, run: Run) -> _Explained:
    # Of the acceptances, those that the last run stands on: later runs need none.
    current = view_fingerprint(run.view) if run.view else None
    accepted = [
        entry
        for entry in read_record(project)
        if entry.get("stage") == run.address and entry.get("to") == current
    ]
    before = run_before(world, project, view, usage, run)
    now = read_view(project, view.environment, view.name)
    return _Explained(view, run, before, now, accepted)


def _between(old: ViewDocument | None, new: ViewDocument | None) -> Changes | None:
    """What differs; None where one side is not known."""
    if old is None or new is None:
        return None
    return changes(old, new)


def _print_use(found: Changes) -> None:
    for words, names in (("now uses", found.begun), ("no longer uses", found.ceased)):
        if names:
            print(f"    {words} {', '.join(printable(name) for name in names)}")
