"""Keep the trace of a capture that found nothing new: the next one then has only to ask again."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from envstage import layout
from envstage.capture.context import diff_command, git_marks, head_files
from envstage.capture.outcome import Outcome
from envstage.capture.recording import Recording
from envstage.project import MARKS, Project, own_folders, upward
from envstage.trace import document, questions, verify
from envstage.trace.programs import IS_POSSIBLE, Running
from envstage.views import archive
from envstage.world import World

if TYPE_CHECKING:
    from envstage.trace.document import Question

_CONFIG_FILES: Final = (layout.CONFIG_FILE, layout.PARAMS_FILE, layout.WORKFLOW_CONFIG)
_GIT_TIMEOUT_S: Final = 20.0


def keep(
    recording: Recording, project: Project, outcomes: Sequence[Outcome], said: Sequence[verify.Said]
) -> None:
    """Keep a trace of a capture of every environment, if all of it can be asked again.

    Args:
        said: what `envstage capture` said, and would say the next time.
    """
    is_quiet = not any(each.changed_files or each.is_held or each.is_new for each in outcomes)
    _keep(
        recording, project, "", is_quiet, lambda: [*_of_capture(recording, project), *_lines(said)]
    )


def keep_views(recording: Recording, project: Project, environment: str, *, is_quiet: bool) -> None:
    """Keep a trace of looking at an environment that found its views as they are, if `is_quiet`."""
    _keep(recording, project, environment, is_quiet, lambda: [(verify.PART, "", "")])


def views_are_current(world: World, project: Project, environment: str) -> bool:
    """Whether a trace vouches that a capture would leave an environment's views as they are."""
    cache = document.cache_folder(world.environ)
    return bool(cache) and any(
        verify.views_hold(document.path_of(cache, project.root, name), project.root, world.environ)
        for name in ("", environment)
    )


def _keep(
    recording: Recording,
    project: Project,
    environment: str,
    is_quiet: bool,
    more: "Callable[[], list[Question]]",
) -> None:
    cache = document.cache_folder(recording.behind.environ)
    if not cache or not IS_POSSIBLE:
        return
    path = document.path_of(cache, project.root, environment)
    trace = None
    if is_quiet:
        _depend_on_project(recording, project)
        trace = recording.trace(more())
    if trace is not None:
        document.save(path, trace)
    elif os.path.exists(path):
        document.forget(path)


def _depend_on_project(recording: Recording, project: Project) -> None:
    """What decides about the views beside the machine: the configuration, and earlier runs."""
    for folder in (project.root, *own_folders(project)):
        recording.real_path(folder)
    for name in _CONFIG_FILES:
        recording.depend_on(project.path(name))
    if not project.config.source:
        _depend_on_place(recording, project.root)
    for view in project.config.views:
        recording.depend_on(project.path(layout.view_file(view.environment, view.name)))
        for path in archive.files(project.state, view.environment, view.name):
            recording.depend_on(path)
        for entry in archive.read(project.state, view.environment, view.name):
            for name in entry.inputs:
                recording.depend_on(os.path.join(project.root, name))


def _depend_on_place(recording: Recording, root: str) -> None:
    """What makes a folder without a configuration the project's: its marks, and none above."""
    for mark in MARKS:
        recording.exists(os.path.join(root, mark))
    for folder in upward(os.path.dirname(root)):
        for name in _CONFIG_FILES:
            recording.depend_on(os.path.join(folder, name))


def _of_capture(recording: Recording, project: Project) -> "Iterator[Question]":
    """What `envstage capture` is for beside the views: its other files, and the code's state."""
    yield verify.PART, "", ""
    for path in (*_files(project), *head_files(project.root)):
        yield verify.IDENTITY, path, recording.identity(path)
    for environment in project.config.environments:
        context = project.path(layout.file_of(environment.name, layout.CONTEXT))
        yield verify.EXISTS, context, questions.exists(context)
        # What a killed capture left there is for the next one to remove.
        own = project.path(layout.folder_of(environment.name))
        yield verify.NAMES, own, questions.names(own)
        for name in (layout.VIEWS, layout.FACETS):
            folder = project.path(layout.file_of(environment.name, name))
            yield verify.NAMES, folder, questions.names(folder)
        # DVC makes the files of a cached out anew before each run of its stage.
        for path in (os.path.join(folder, name) for name in sorted(os.listdir(folder))):
            yield verify.CONTENT, path, questions.content(path)
    for mark in git_marks(project.root):
        yield verify.EXISTS, mark, questions.exists(mark)
    yield verify.PROGRAM, "git", recording.behind.which("git") or ""
    argv = diff_command(recording.behind, project.root)
    if argv:
        done = Running(argv, recording.behind.environ, project.root).finish(_GIT_TIMEOUT_S)
        # Without an answer it will not be the same the next time either.
        answer = verify.told(*done, cookie="") if done else ""
        yield verify.RUN, verify.run_question(argv), answer


def _files(project: Project) -> Iterator[str]:
    names = (layout.SNAPSHOT, layout.SUMMARY, layout.REQUIREMENTS, layout.REPRODUCE, layout.IGNORE)
    for environment in project.config.environments:
        folder = project.path(layout.folder_of(environment.name))
        yield from (os.path.join(folder, name) for name in names)


def _lines(said: Sequence[verify.Said]) -> "Iterator[Question]":
    return ((verify.SAY, text, verify.NOTE if is_note else "") for text, is_note in said)
