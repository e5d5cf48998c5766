"""Capture, hold or verify: what `envstage capture` does to the files of each environment."""

import os
import time
from collections.abc import Sequence

import msgspec

from envstage import layout
from envstage.capture.assemble import (
    Assembled,
    Projectors,
    assemble,
    context_facts,
    derived_files,
)
from envstage.capture.collect import belongs_here, collect
from envstage.capture.committed import (
    committed_snapshot,
    earlier_views,
    project_lock,
    read_snapshot,
    read_view,
)
from envstage.capture.configured import require_configured
from envstage.capture.context import code_state, context, start_code_state
from envstage.capture.derived import remove_stale_facets, tidy, write_derived
from envstage.capture.mode import MODE_VARIABLE as MODE_VARIABLE
from envstage.capture.mode import Mode as Mode
from envstage.capture.mode import mode_of as mode_of
from envstage.capture.names import unanswered_names
from envstage.capture.origins import origins
from envstage.capture.outcome import Outcome as Outcome
from envstage.capture.recording import unrecorded
from envstage.capture.set_aside import put_back
from envstage.compare.differences import differences
from envstage.compare.render import short
from envstage.config import Environment
from envstage.errors import CaptureError, DiffersError
from envstage.project import Project
from envstage.snapshot.canonical import canonical
from envstage.snapshot.document import encode, snapshot_fingerprint
from envstage.snapshot.files import write
from envstage.snapshot.model import Snapshot
from envstage.snapshot.withheld import without_suspects
from envstage.views import archive
from envstage.views import document as view_document
from envstage.views.projection import check_patterns
from envstage.world import World


def run(
    world: World,
    project: Project,
    *,
    mode: Mode,
    names: Sequence[str] = (),
    views: Sequence[str] = (),
    argv: Sequence[str] = (),
) -> tuple[Outcome, ...]:
    """Refresh, hold or verify the environments of a project, all or the named ones.

    Args:
        views: refresh these views alone, none: all. Snakemake has one job a view, and a job
            must not write what another job's record stands for.

    Everything is captured before anything is written: a fact that a view needs and that is
    unknown leaves every file as it was.

    Raises:
        CaptureError: such a fact, or a held environment without a snapshot.
        DiffersError: `verify`, and this machine differs.
        EnvstageError: configuration, or a file that cannot be written.
    """
    chosen = [project.config.environment(name) for name in names] or project.config.environments
    with project_lock(project, is_reader=mode is not Mode.CAPTURE):
        for view in project.config.views:
            if not views or view.name in views:
                put_back(project, layout.view_file(view.environment, view.name))
        for each in chosen:
            tidy(project, each.name)
        only = frozenset(project.config.view(name).name for name in views)
        steps = [_prepared(world, project, each, mode, only, argv) for each in chosen]
        # Not first: it loads every facet, which costs nothing while the probe is at work.
        check_patterns(project.config)
        require_configured(project)
        return tuple(step() for step in steps)


class _Write(msgspec.Struct, frozen=True, kw_only=True):
    project: Project
    assembled: Assembled
    old: Snapshot | None
    context: bytes
    problems: tuple[str, ...]

    def __call__(self) -> Outcome:
        project, assembled = self.project, self.assembled
        name = assembled.environment.name
        old = self.old
        changed = _write_all(project, name, assembled)
        path = project.path(layout.file_of(name, layout.CONTEXT))
        write(path, self.context, is_durable=False)
        write_ignore_files(project, name)
        changes = differences(old.facts, assembled.snapshot.facts) if old else ()
        return msgspec.structs.replace(
            _outcome(assembled.snapshot),
            changes=changes,
            is_new=old is None,
            changed_files=tuple(changed),
            notes=(*assembled.snapshot.anomalies, *self.problems),
        )


class _Hold(msgspec.Struct, frozen=True, kw_only=True):
    project: Project
    environment: Environment
    reason: str

    def __call__(self) -> Outcome:
        project, name = self.project, self.environment.name
        snapshot = committed_snapshot(project, name, self.reason)
        changed = []
        # Whoever committed it may have had another idea of secrets.
        safe = msgspec.structs.replace(snapshot, facts=without_suspects(snapshot.facts))
        files = derived_files(safe, project.config)
        for file, content in files.items():
            path = project.path(layout.file_of(name, file))
            # Facets are no part of the commit and follow from the snapshot. What is
            # committed stays byte for byte, whichever release wrote it.
            is_facet = file.startswith(layout.FACETS + "/")
            if (is_facet or not os.path.exists(path)) and write(path, content):
                changed.append(file)
        remove_stale_facets(project, name, files)
        _require_views(project, self.environment)
        return msgspec.structs.replace(
            _outcome(snapshot),
            is_held=True,
            changed_files=tuple(changed),
            notes=(self.reason,),
        )


def write_ignore_files(project: Project, name: str) -> None:
    """Make sure that Git leaves the facets, the context and the state folder alone.

    `init` puts the state folder into the repository's own .gitignore; not everybody calls it.
    """
    _write_new(project.path(layout.file_of(name, layout.IGNORE)), layout.IGNORED)
    _write_new(os.path.join(project.state, layout.IGNORE), ("*",))


def _write_new(path: str, lines: Sequence[str]) -> None:
    if not os.path.exists(path):
        write(path, "".join(f"{line}\n" for line in lines).encode(), is_durable=False)


def _prepared(
    world: World,
    project: Project,
    environment: Environment,
    mode: Mode,
    only: frozenset[str],
    argv: Sequence[str],
) -> "_Write | _Hold":
    if mode is Mode.HOLD:
        return _Hold(project=project, environment=environment, reason=f"held: {MODE_VARIABLE}=hold")
    if not belongs_here(world, project.root, project.config, environment):
        conditions = ", ".join(f"{pattern}: {glob}" for pattern, glob in environment.where)
        return _Hold(
            project=project,
            environment=environment,
            reason=f"held: this machine is none of its machines ({conditions})",
        )
    old = read_snapshot(project, environment.name)
    started_ns = time.monotonic_ns()
    code = start_code_state(unrecorded(world), project.root)
    capture = collect(world, project.root, project.config, environment)
    state = code_state(code)
    assembled = assemble(
        capture,
        project.config,
        Projectors(world, project.root, capture),
        earlier_views(project, environment.name),
        only,
    )
    if mode is Mode.VERIFY:
        _verify(project, assembled)
        return _Hold(project=project, environment=environment, reason="verified: this machine")
    names = unanswered_names(world, project.config, environment.name, capture.facts)
    problems = (*capture.problems, *names)
    document = context(
        unrecorded(world),
        environment=environment.name,
        facts=context_facts(capture, assembled.snapshot),
        root=project.root,
        code=state,
        origins=origins(world, project.root, capture.answer),
        problems=problems,
        argv=argv,
        duration_ms=(time.monotonic_ns() - started_ns) // 10**6,
    )
    return _Write(
        project=project,
        assembled=assembled,
        old=old,
        context=canonical(document),
        problems=problems,
    )


def _verify(project: Project, assembled: Assembled) -> None:
    name = assembled.environment.name
    committed_snapshot(project, name, "nothing to verify against")
    for view_name, view in assembled.views.items():
        committed = read_view(project, name, view_name)
        found = differences(committed.facts, view.facts) if committed else ()
        if found:
            raise DiffersError(
                f"this machine differs from the committed view: {short(found)}",
                where=layout.view_file(name, view_name),
                fix="`envstage check` shows everything that differs",
            )


def _require_views(project: Project, environment: Environment) -> None:
    for view in project.config.views_of(environment.name):
        where = layout.view_file(environment.name, view.name)
        if not os.path.exists(project.path(where)):
            raise CaptureError(
                "the environment is held, and this view is not there",
                where=where,
                fix="Capture it on one of the environment's machines and commit `environment/`",
            )


def _write_all(project: Project, name: str, assembled: Assembled) -> list[str]:
    changed = []
    content = encode(assembled.snapshot)
    if write(project.path(layout.file_of(name, layout.SNAPSHOT)), content):
        changed.append(layout.SNAPSHOT)
    changed += write_derived(project, assembled.snapshot, snapshot_fingerprint(assembled.snapshot))
    for view, document in assembled.views.items():
        # dvc.lock may know the last run by the old one: `envstage why` wants to read it then.
        current = read_view(project, name, view)
        if current is not None and current != document:
            archive.keep(project.state, view_document.encode(current))
        if write(project.path(layout.view_file(name, view)), view_document.encode(document)):
            changed.append(f"{layout.VIEWS}/{view}.json")
    return changed


def _outcome(snapshot: Snapshot) -> Outcome:
    names = {address[1] for address in snapshot.facts if address[0] == "packages"}
    return Outcome(
        environment=snapshot.environment,
        fingerprint=snapshot_fingerprint(snapshot),
        level=snapshot.level.word,
        packages=len(names),
    )
