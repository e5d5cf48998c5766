"""From a REF to what it names; errors with candidates where that is nothing, or too much."""

import os
import re
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from envstage import layout
from envstage.capture.assemble import snapshot_of
from envstage.capture.collect import Capture, collect
from envstage.config import Config
from envstage.errors import CaptureError, EnvstageError
from envstage.project import Project, open_project
from envstage.refs import files, fingerprints, revisions, runs
from envstage.refs.git import Git
from envstage.refs.named import Named, named
from envstage.snapshot.document import LIMIT_BYTES
from envstage.views import document as view_document
from envstage.views.document import ViewDocument
from envstage.world import World
from envstage.yaml_node import nearest

NOW: Final = "now"
STDIN: Final = "-"
_SHOWN: Final = 6
_RANGE: Final = re.compile(r"(?P<a>[^/].*?)?(?P<dots>\.{2,3})(?P<b>(?![./]).+)?")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a REF may mean: how to write it so that it means only this."""

    spelling: str
    load: Callable[[], Named]
    identity: str


def resolve(world: World, project: Project, ref: str, environment: str, start: str = ".") -> Named:
    """Find the snapshot (or view) that a REF names.

    Args:
        ref: `now` (a fresh capture), `-` (standard input), a file, a folder that holds one, a
            Git revision, `REVISION:FILE`, a DVC experiment, a fingerprint or its beginning.
        environment: which environment of a revision, a folder or of `now`.
        start: the folder that relative paths start from.

    Raises:
        EnvstageError: nothing has that name, several things have, or it is no snapshot.
    """
    if ref == NOW:
        return now(world, project, environment)
    if ref == STDIN:
        return named(sys.stdin.buffer.read(LIMIT_BYTES), "standard input")
    git = Git(world, project.root)
    found = _candidates(world, git, project, ref, environment, start)
    if not found:
        raise _nothing(git, project, ref)
    if len({each.identity for each in found}) > 1:
        shown = ", ".join(f"`{each.spelling}`" for each in found[:_SHOWN])
        raise EnvstageError(
            f"names more than one thing: {shown}", where=ref, fix="Write one of these"
        )
    return found[0].load()


Resolver: TypeAlias = Callable[[World, Project, str, str, str], Named]
"""What finds the document of a REF: `resolve`, or one that knows more kinds of REFs."""


def pair(
    world: World,
    project: Project,
    a: str,
    b: str | None,
    environment: str,
    start: str = ".",
    find: Resolver = resolve,
) -> tuple[Named, Named]:
    """The two that are to be compared: `A B`, `A..B`, `A...B` (since they parted), `A` and now."""
    match = _RANGE.fullmatch(a)
    if b is None and match is not None and not os.path.exists(os.path.join(start, a)):
        one, other = match["a"] or "HEAD", match["b"] or "HEAD"
        if match["dots"] == "...":
            git = Git(world, project.root)
            commits = [revisions.require(git, each) for each in (one, other)]
            one = git.merge_base(*commits) or one
        a, b = one, other
    old = find(world, project, a, environment, start)
    return old, find(world, project, b or NOW, environment, start)


def now(world: World, project: Project, environment: str) -> Named:
    """A fresh capture of an environment, not written anywhere."""
    return named_capture(project, fresh(world, project, environment))


def fresh(world: World, project: Project, environment: str) -> Capture:
    """Everything that is seen of an environment now.

    Raises:
        CaptureError: its interpreter gave no answer: nothing could be compared.
    """
    configured = project.config.environment(environment)
    capture = collect(world, project.root, project.config, configured)
    if capture.failure is not None:
        raise CaptureError(
            capture.failure.what, where=f"environment {environment}", fix=capture.failure.fix
        )
    return capture


def named_capture(project: Project, capture: Capture) -> Named:
    """A capture as a REF names it."""
    snapshot = snapshot_of(capture, project.config)
    return Named(label=NOW, level=snapshot.level, facts=snapshot.facts, snapshot=snapshot)


def on_disk(project: Project, environment: str) -> Named:
    """The snapshot in the working tree."""
    try:
        return _on_disk(project, layout.file_of(environment, layout.SNAPSHOT), "snapshot")
    except EnvstageError:
        project.config.environment(environment)  # a misspelt name is a better reason
        raise


def view_on_disk(project: Project, name: str) -> Named:
    """A view in the working tree, as the configuration calls it."""
    view = project.config.view(name)
    return _on_disk(project, layout.view_file(view.environment, view.name), "view")


def _on_disk(project: Project, where: str, what: str) -> Named:
    try:
        return named(files.read(project.path(where)), where)
    except FileNotFoundError:
        raise EnvstageError(
            f"there is no {what} yet", where=where, fix="Run `envstage capture`, or the pipeline"
        ) from None


def view_documents(
    world: World, project: Project, commit: str | None, environment: str
) -> dict[str, ViewDocument]:
    """The views of an environment as a commit has them, or the working tree; by name."""
    names = [view.name for view in project.config.views_of(environment)]
    paths = [layout.view_file(environment, name) for name in names]
    if commit is not None:
        git = Git(world, project.root)
        contents = list(git.blobs([git.name_of(commit, path) for path in paths])) if paths else []
    else:
        contents = [files.content_of(project.path(path)) for path in paths]
    found = {}
    for name, path, data in zip(names, paths, contents, strict=True):
        if data is not None:
            found[name] = view_document.decode(data, path)
    return found


def project_or_folder(start: str) -> Project:
    """The project around a folder; without one the folder itself, with nothing configured.

    Files can be compared anywhere: two people's `pip freeze` need no repository.
    """
    try:
        return open_project(start)
    except EnvstageError as error:
        if not error.what.startswith("no envstage project"):
            raise
        return Project(root=os.path.abspath(start), config=Config())


def _run(world: World, project: Project, ref: str) -> Named:
    data, label = runs.run_data(world, project, ref)
    return named(data, label)


def _candidates(
    world: World, git: Git, project: Project, ref: str, environment: str, start: str
) -> list[Candidate]:
    if not ref:
        return []
    found = []
    place = os.path.join(start, ref)
    path = files.document_in(place, environment)
    if path is not None:
        # Called as it was written, wherever the command was started.
        label = ref + path[len(place) :]
        spelling = ref if files.is_path(ref) else f".{os.sep}{ref}"
        found.append(
            Candidate(
                spelling=spelling, load=lambda: files.load(path, label), identity=f"file {path}"
            )
        )
        if files.is_path(ref):
            return found
    for revision in revisions.meanings(git, ref):
        found.append(
            Candidate(
                spelling=revision.spelling,
                load=lambda it=revision: revisions.load(git, it, environment),  # type: ignore[misc]
                identity=f"{revision.commit}:{revision.file}",
            )
        )
    if runs.is_run(ref):
        found.append(Candidate(spelling=ref, load=lambda: _run(world, project, ref), identity=ref))
    if fingerprints.is_fingerprint(ref):
        for each in fingerprints.matches(git, project, ref):
            found.append(
                Candidate(
                    spelling=each.fingerprint,
                    load=lambda it=each: it.named,  # type: ignore[misc]
                    identity=each.fingerprint,
                )
            )
    return found


def _nothing(git: Git, project: Project, ref: str) -> EnvstageError:
    if fingerprints.is_fingerprint(ref):
        return EnvstageError(
            "no snapshot or view of this fingerprint is in Git's history, in the working tree or "
            f"in {layout.STATE_FOLDER}/archive",
            where=ref,
            fix="Fetch the branch that has it, or see `envstage log`",
        )
    names = revisions.names(git)
    folder = os.path.join(project.root, layout.FOLDER)
    known = [NOW, *names, *(os.path.join(layout.FOLDER, name) for name in files.names_in(folder))]
    listed = f" (there: {', '.join(names[:_SHOWN])})" if names else ""
    fix = nearest(ref, known) or (
        f"Give a snapshot's path, a commit, branch, tag or experiment{listed}, or `now`"
    )
    return EnvstageError("names neither a file nor a Git revision", where=ref, fix=fix)
