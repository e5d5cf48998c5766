"""From what was seen of a run to its receipt."""

import os
import secrets
import signal
import time
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from envstage import __version__, layout
from envstage.capture.assemble import context_facts, snapshot_of
from envstage.capture.collect import Capture
from envstage.capture.committed import read_view
from envstage.capture.context import code_state, context
from envstage.capture.engine import Engine, engine_of
from envstage.config import View as ConfiguredView
from envstage.errors import EnvstageError
from envstage.project import Project
from envstage.receipts import document
from envstage.receipts.model import Artifact, Command, Observed, Receipt, Run, View
from envstage.receipts.stage import READ_AT_MOST_BYTES, StageFiles, artifacts, given, parameters
from envstage.runs.guard import Guarded
from envstage.runs.seen import observed_in
from envstage.runs.witness import Seen, Wanted, Witness
from envstage.snapshot.canonical import parsed
from envstage.snapshot.command_line import redacted
from envstage.snapshot.document import encode as encode_snapshot
from envstage.snapshot.model import Snapshot
from envstage.views import document as view_document
from envstage.views.document import view_fingerprint
from envstage.world import World

_LIMIT_BYTES: Final = 256 * 1024 * 1024
_OF_THE_CAPTURE: Final = frozenset(
    "argv duration_ms dvc_stage environment envstage origins schema time".split()
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the view, and what a reader must know beside it.

    Attributes:
        fate: see `receipts.model.View`.
        has_drifted: the environment changed while the command ran.
    """

    fate: str
    has_drifted: bool = False
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def receipt_of(
    witness: Witness, guarded: Guarded, argv: Sequence[str], files: StageFiles, outcome: Outcome
) -> bytes:
    """The receipt's bytes, in the form that was asked for.

    Args:
        argv: the command as it was given.
        files: what the stage reads and makes.
    """
    seen, wanted = witness.seen, witness.wanted
    if seen is None:
        raise ValueError("no command has ended yet")
    command = _command(witness.project, guarded, seen, argv, outcome)
    receipt = _receipt(witness, guarded, seen, command, files, outcome)
    if wanted.sign:
        from envstage.receipts.sign import signer

        payload = document.encode_statement(receipt)
        return document.encode_envelope(payload, (signer(wanted.sign)(payload),))
    if wanted.is_attested:
        return document.encode_statement(receipt)
    return document.encode(receipt)


def stage_files(
    world: World, project: Project, deps: Sequence[str], outs: Sequence[str]
) -> StageFiles:
    """What the running stage reads and makes: as DVC knows it, and as the command line says."""
    named, found = given(project.root, deps, outs), None
    if engine_of(world) is Engine.DVC:
        from envstage.pipelines.dvc_running import running_stage  # reads YAML

        found = running_stage(world, project)
    if found is None:
        unseen = () if named.outs else ("which files the run made: name them with --outs",)
        return msgspec.structs.replace(named, unseen=unseen)
    return msgspec.structs.replace(
        found, deps=(*found.deps, *named.deps), outs=(*found.outs, *named.outs)
    )


def _receipt(
    witness: Witness,
    guarded: Guarded,
    seen: Seen,
    command: Command,
    files: StageFiles,
    outcome: Outcome,
) -> Receipt:
    world, project, wanted = witness.world, witness.project, witness.wanted
    earlier, engine = _earlier(wanted, files), engine_of(world)
    capture = guarded.before.capture
    snapshot = snapshot_of(capture, project.config)
    unseen = [*files.unseen, *([command.unseen] if command.unseen else [])]
    if wanted.part > 1 and earlier is None:
        unseen.append(f"the commands of the stage before part {wanted.part}")
    deps, outs = _artifacts(project, wanted, files)
    return Receipt(
        envstage=__version__,
        run=Run(
            id=earlier.run.id if earlier else f"r-{secrets.token_hex(16)}",
            start=earlier.run.start if earlier else command.start,
            end=command.end,
            exit_code=command.exit_code,
            signal=command.signal,
            outcome=_word(command, outcome),
            engine=engine.value if engine is not None else None,
            stage=files.address,
        ),
        commands=(*(earlier.commands if earlier else ()), command),
        view=_view(project, guarded, outcome),
        snapshot=parsed(encode_snapshot(snapshot)),
        context=_context(world, capture, snapshot, seen),
        parameters=parameters(files.params),
        deps=deps,
        outs=outs,
        remarks=outcome.remarks,
        unseen=tuple(unseen),
    )


def _command(
    project: Project, guarded: Guarded, seen: Seen, argv: Sequence[str], outcome: Outcome
) -> Command:
    observed, unseen = _observed(project, guarded, seen, outcome)
    here = os.path.relpath(os.path.realpath("."), os.path.realpath(project.root))
    return Command(
        argv=redacted(argv),
        folder=here.replace(os.sep, "/"),
        start=_time(seen.start_s),
        end=_time(seen.end_s),
        exit_code=seen.ending.returncode,
        signal=_signal(seen.ending.signal),
        observed=observed,
        unseen=unseen,
    )


def _observed(
    project: Project, guarded: Guarded, seen: Seen, outcome: Outcome
) -> tuple[Observed | None, str]:
    """What the command was seen to use, or why that is not known."""
    if seen.reports is None:
        return None, "what the command used: nobody observed it (--no-observe)"
    try:
        found = observed_in(project, guarded, seen.reports, seen.start_s, outcome.doubts)
    except Exception as error:
        # A broad one: days of training must not fail for what is told about them.
        what = f"what the command used: {type(error).__name__}: {error}"
        return None, what
    return found, ""


def _artifacts(
    project: Project, wanted: Wanted, files: StageFiles
) -> tuple[tuple[Artifact, ...], tuple[Artifact, ...]]:
    """The digests of the deps and the outs. A receipt does not hold its own."""
    from envstage.pipelines.dvc_patterns import ignored_by_dvc

    is_ignored = ignored_by_dvc(project.root)
    itself = os.path.realpath(wanted.path)
    outs = [path for path in files.outs if os.path.realpath(project.path(path)) != itself]
    is_vouched = wanted.is_attested or wanted.sign
    return (
        artifacts(project.root, files.deps, files.recorded, is_ignored=is_ignored),
        artifacts(
            project.root,
            outs,
            {},
            is_ignored=is_ignored,
            # Who asks for an attestation asks for the digest of every byte.
            limit_bytes=0 if is_vouched else READ_AT_MOST_BYTES,
        ),
    )


def _earlier(wanted: Wanted, files: StageFiles) -> Receipt | None:
    """The receipt that the stage's command before this one wrote a moment ago."""
    if wanted.part == 1:
        return None
    try:
        with open(wanted.path, "rb") as file:
            found = document.decode(file.read(_LIMIT_BYTES), wanted.path).receipt
    except (OSError, EnvstageError):
        return None
    is_of_this = found.run.stage == files.address and len(found.commands) == wanted.part - 1
    return found if is_of_this else None


def _word(command: Command, outcome: Outcome) -> Literal["ended", "failed", "killed", "drifted"]:
    if command.signal:
        return "killed"
    if command.exit_code:
        return "failed"
    return "drifted" if outcome.has_drifted else "ended"


def _view(project: Project, guarded: Guarded, outcome: Outcome) -> View:
    view: ConfiguredView = guarded.view
    made = read_view(project, view.environment, view.name) or guarded.document
    return View(
        name=view.name,
        environment=view.environment,
        file=layout.view_file(view.environment, view.name),
        fingerprint=view_fingerprint(made),
        fate=outcome.fate,
        document=view_document.as_json(made),
    )


def _context(world: World, capture: Capture, snapshot: Snapshot, seen: Seen) -> dict[str, Any]:
    made = context(
        world,
        environment=capture.environment.name,
        facts=context_facts(capture, snapshot),
        root=seen.code.root,
        code=code_state(seen.code),
        origins={},
        problems=capture.problems,
        argv=(),
        duration_ms=0,
    )
    kept = {name: made[name] for name in made if name not in _OF_THE_CAPTURE}
    return kept | {"user": kept.get("user") or _user()}


def _user() -> str | None:
    """The user by its number, where no variable says it."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return None


def _signal(number: int) -> str | None:
    if not number:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _time(seconds: float) -> str:
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{int(seconds % 1 * 1000):03d}Z"
