"""From a snapshot to an environment, and to what can be said of it."""

import msgspec

from envstage.capture.assemble import snapshot_of
from envstage.capture.collect import Capture, collect
from envstage.config import Config, Environment
from envstage.errors import EnvstageError
from envstage.export.packages import packages_of
from envstage.export.pins import extra_indexes
from envstage.indexes import Indexes
from envstage.recreate import conda
from envstage.recreate.build import discard, fill, finish, make, python_of, unfinished
from envstage.recreate.failures import BuildError
from envstage.recreate.installer import Installer
from envstage.recreate.interpreters import Interpreter, asked, find_interpreter, wanted_by
from envstage.recreate.plan import Places, Plan, plan
from envstage.recreate.process import Progress
from envstage.recreate.second_try import second_tries
from envstage.recreate.verdicts import Elsewhere, Judged, Verdict, elsewhere, judge
from envstage.snapshot.model import Snapshot
from envstage.world import World


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be rebuilt, and how.

    Attributes:
        folder: where the environment is made (absolute).
        interpreter: which one, where it was looked for already.
        is_strict: only with the exact interpreter.
        is_kept: what could be built stays, though it differs or lacks something.
    """

    snapshot: Snapshot
    config: Config
    folder: str
    places: Places
    interpreter: Interpreter | None = None
    is_strict: bool = False
    is_kept: bool = False


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        conda: the program that made conda's part of it.
    """

    folder: str
    interpreter: Interpreter
    is_exact_interpreter: bool
    plan: Plan
    judged: tuple[Judged, ...]
    elsewhere: tuple[Elsewhere, ...]
    capture: Capture
    is_kept: bool
    conda: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether every package came back as it was, conda's among them."""
        return _is_good(self.judged, self.elsewhere)


def rebuild(world: World, order: Order, installer: Installer, progress: Progress) -> Rebuilt:
    """Build the environment of a snapshot, capture it, compare it.

    What differs is not kept, unless the order says so: an environment with other files under
    the right names looks like the one that was asked for.

    Raises:
        EnvstageError: it cannot be built; nothing is left of it.
    """
    todo = plan(order.snapshot, order.places)
    _require_possible(order, todo)
    installer = installer.with_indexes(_with_pytorch(installer, order.snapshot))
    part = conda.conda_part(world, order.snapshot)
    with unfinished(order.folder):
        interpreter = _made(world, order, part, installer, progress)
        todo = _filled(order, todo, installer, progress)
        capture, judged = _compared(world, order, installer, todo, progress)
        others = elsewhere(order.snapshot.facts, _snapshot(capture, order).facts)
        rebuilt = Rebuilt(
            folder=order.folder,
            interpreter=interpreter,
            is_exact_interpreter=interpreter.version == wanted_by(order.snapshot).version,
            plan=todo,
            judged=judged,
            elsewhere=others,
            capture=capture,
            is_kept=order.is_kept or _is_good(judged, others),
            conda=part.program if part is not None else None,
        )
    if rebuilt.is_kept:
        finish(order.folder)
    else:
        discard(order.folder)
    return rebuilt


def _require_possible(order: Order, todo: Plan) -> None:
    """Refuse before anything is built what can be refused by then."""
    name = order.snapshot.environment
    if not packages_of(order.snapshot):
        raise EnvstageError("the snapshot names no package", where=f"environment {name}")
    if todo.refused and not order.is_kept:
        shown = "; ".join(f"{each.name}: {each.why}" for each in todo.refused[:5])
        more = f" (and {len(todo.refused) - 5} more)" if len(todo.refused) > 5 else ""
        raise BuildError(
            f"cannot be brought back from here: {shown}{more}",
            where=f"environment {name}",
            fix=(
                "Name where it can be found (--index URL, --find-links DIR), or build the rest "
                "with --keep"
            ),
        )


def _made(
    world: World,
    order: Order,
    part: conda.CondaPart | None,
    installer: Installer,
    progress: Progress,
) -> Interpreter:
    """Make the environment that packages go into; its interpreter."""
    if part is None:
        found = order.interpreter or find_interpreter(
            world, wanted_by(order.snapshot), installer, progress, is_strict=order.is_strict
        )
        progress(f"building with {installer.name} and Python {found.version}")
        make(installer, found, order.folder, progress)
        return found
    progress(f"building with {part.program}, and {installer.name} for the rest")
    is_offline = installer.is_offline
    conda.make(part, order.folder, dict(world.environ), progress, is_offline=is_offline)
    interpreter = asked(world, python_of(order.folder))
    if interpreter is None:
        raise BuildError("conda made an environment without a Python that starts", where="python")
    return interpreter


def _filled(order: Order, todo: Plan, installer: Installer, progress: Progress) -> Plan:
    """Install what the plan says; with `--keep`, what can be had of it. The plan as it was done."""
    while True:
        try:
            fill(installer, order.folder, todo, progress)
            return todo
        except BuildError as error:
            if not order.is_kept or not error.lacking:
                raise
            progress(f"going on without {', '.join(error.lacking)}: {error.what}")
            todo = todo.without(error.lacking, error.what)


def _is_good(judged: tuple[Judged, ...], others: tuple[Elsewhere, ...]) -> bool:
    return all(each.verdict.is_good for each in judged) and not any(
        each.address[0] == "conda" for each in others
    )


def _with_pytorch(installer: Installer, snapshot: Snapshot) -> Indexes:
    return Indexes(extra=extra_indexes(packages_of(snapshot))).merged(installer.indexes)


def _compared(
    world: World, order: Order, installer: Installer, todo: Plan, progress: Progress
) -> tuple[Capture, tuple[Judged, ...]]:
    """Capture and judge; where other files came, look for the right ones elsewhere."""
    progress("comparing what was built with the snapshot")
    capture = _captured(world, order)
    judged = judge(order.snapshot, _snapshot(capture, order))
    lines = {line.name: line for line in todo.lines}
    for wrong in [each for each in judged if each.verdict is Verdict.OTHER_BUILD]:
        line = lines.get(wrong.name)
        for attempt in second_tries(installer, wrong, line) if line else ():
            progress(attempt.words)
            if attempt.install(python_of(order.folder), progress):
                capture = _captured(world, order)
                judged = judge(order.snapshot, _snapshot(capture, order))
            if any(each.name == wrong.name and each.verdict.is_good for each in judged):
                break
    return capture, judged


def _captured(world: World, order: Order) -> Capture:
    environment = Environment(
        name=order.snapshot.environment,
        python=python_of(order.folder),
        level=order.snapshot.level,
    )
    capture = collect(world, order.places.root, order.config, environment)
    if capture.failure is not None:
        raise BuildError(
            f"what was built does not work: {capture.failure.what}", fix=capture.failure.fix
        )
    return capture


def _snapshot(capture: Capture, order: Order) -> Snapshot:
    return snapshot_of(capture, order.config)
