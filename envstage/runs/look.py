"""Look at the machine before a command and after it: is it what the view says, does it stay so."""

from collections.abc import Mapping

import msgspec

from envstage import layout
from envstage.capture.assemble import Projectors
from envstage.capture.collect import belongs_here, collect
from envstage.capture.committed import read_view
from envstage.capture.engine import as_called
from envstage.capture.recording import Recording, recorded
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.config import View
from envstage.errors import RefusedError
from envstage.project import Project
from envstage.runs.policy import OnMismatch, Policy
from envstage.runs.remembered import recall, remember
from envstage.snapshot.model import Facts
from envstage.trace import verify
from envstage.trace.document import Trace
from envstage.views.document import ViewDocument
from envstage.views.selection import selection_of
from envstage.world import World


class Vouching(msgspec.Struct, frozen=True, kw_only=True):
    """What facts were made of: while all of it is the same, so are they.

    Attributes:
        trace: of an earlier capture; None where this one captured.
        asked: the machine, which remembers what it was asked; None where it does not.
    """

    trace: Trace | None
    asked: Recording | None

    def holds(self, project: Project, environ: Mapping[str, str]) -> bool:
        """Whether all of it is as it was: files, programs' answers, variables."""
        traces = [self.asked.trace(()) if self.asked is not None else None]
        traces += [self.trace] if self.trace is not None else []
        return all(
            each is not None and verify.holds(each, project.root, environ) for each in traces
        )


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What was there before the command.

    Attributes:
        used: the facts that the view on disk selects: files and names among them, which are
            looked up when they are asked for.
        document: the view on disk.
        mismatch: what the machine is otherwise than the view says; empty where it is the same.
        vouching: what the facts were made of.
    """

    facts: Projectors
    used: Facts
    document: ViewDocument
    vouching: Vouching
    mismatch: str = ""


def look(world: World, project: Project, view: View, policy: Policy) -> Start:
    """This machine's facts, and what of them is otherwise than the view says.

    Raises:
        RefusedError: something is, and the policy refuses that; or nobody can tell.
    """
    elsewhere = _elsewhere(world, project, view)
    if elsewhere is not None and policy.on_mismatch is OnMismatch.REFUSE:
        raise elsewhere
    facts, vouching = _facts_now(as_called(world), project, view)
    document = _document(project, view, facts)
    used = facts.project(view, selection_of(document, view.include)).facts
    mismatch = elsewhere or _differs(view, document, used)
    if mismatch is not None and policy.on_mismatch is OnMismatch.REFUSE:
        raise mismatch
    what = mismatch.what if mismatch is not None else ""
    return Start(facts=facts, used=used, document=document, mismatch=what, vouching=vouching)


def look_again(world: World, project: Project, view: View, start: Start) -> Projectors:
    """This machine's facts now: those of the start, where what they were made of is the same."""
    world = as_called(world)
    if start.vouching.holds(project, world.environ):
        return start.facts
    return _facts_now(world, project, view)[0]


def _facts_now(world: World, project: Project, view: View) -> tuple[Projectors, Vouching]:
    environment = project.config.environment(view.environment)
    machine = recorded(world)
    asked = machine if isinstance(machine, Recording) else None
    recalled = recall(project, environment, world.environ) if asked is not None else None
    if recalled is not None:
        capture, trace = recalled
        return Projectors(machine, project.root, capture), Vouching(trace=trace, asked=asked)
    capture = collect(machine, project.root, project.config, environment)
    if asked is not None:
        remember(asked, project, environment, capture)
    return Projectors(machine, project.root, capture), Vouching(trace=None, asked=asked)


def _elsewhere(world: World, project: Project, view: View) -> RefusedError | None:
    environment = project.config.environment(view.environment)
    if belongs_here(as_called(world), project.root, project.config, environment):
        return None
    return RefusedError(
        f"this machine is none of the machines of the environment {environment.name}",
        where=f"view {view.name}",
        fix="Run it on one of them; `where:` of the environment says which",
    )


def _document(project: Project, view: View, facts: Projectors) -> ViewDocument:
    document = read_view(project, view.environment, view.name)
    if document is None:
        raise RefusedError(
            "there is no view that can be read",
            where=layout.view_file(view.environment, view.name),
            fix="Run the pipeline, or capture",
        )
    failure = facts.capture.failure
    if failure is not None and facts.project(view, None).unknown:
        raise RefusedError(failure.what, where=f"view {view.name}", fix=failure.fix)
    return document


def _differs(view: View, document: ViewDocument, used: Facts) -> RefusedError | None:
    found = differences(document.facts, used)
    if not found:
        return None
    return RefusedError(
        f"this machine is not what the view says: {short(found)}",
        where=layout.view_file(view.environment, view.name),
        fix="Run it where the view was captured, or capture this machine first",
    )
