"""A capture kept with its trace: while every question has the same answer, so has the capture.

For the guard alone: it needs every fact and the probe's answer, not only that nothing changed. In
the user's cache, as the traces are; deleting it costs time.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from envstage import layout
from envstage.capture.collect import Capture
from envstage.capture.recording import Recording
from envstage.config import Environment
from envstage.facets.contract import ProbeAnswer
from envstage.project import Project
from envstage.snapshot.canonical import decoded, encoded
from envstage.snapshot.model import Address, Unknown
from envstage.snapshot.secrets import holds_secret, is_secret_value
from envstage.trace import document, verify
from envstage.trace.document import Trace

_CONFIG_FILES: Final = (layout.CONFIG_FILE, layout.PARAMS_FILE, layout.WORKFLOW_CONFIG)


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    facts: list[tuple[Address, Any]]
    anomalies: tuple[str, ...]
    problems: tuple[str, ...]
    answer: ProbeAnswer


def recall(
    project: Project, environment: Environment, environ: Mapping[str, str]
) -> tuple[Capture, Trace] | None:
    """What a capture of an environment would give, and the trace that vouches for it; None: it
    has to be captured."""
    path = _path(project, environment, environ)
    trace = document.load(path) if path else None
    if trace is None or not verify.holds(trace, project.root, environ):
        return None
    for kind, subject, _ in trace.questions:
        if kind == verify.SAY:
            try:
                return _capture(environment, subject), trace
            except (msgspec.DecodeError, ValueError, RecursionError):
                return None  # garbage: what cannot be read is as if it was not there
    return None


def remember(
    recording: Recording, project: Project, environment: Environment, capture: Capture
) -> None:
    """Keep a capture, if all of it can be asked again."""
    environ = recording.behind.environ
    path = _path(project, environment, environ)
    # A copy that DVC makes for one experiment is never looked at again.
    is_passing = f"{os.sep}.dvc{os.sep}tmp{os.sep}" in project.root
    is_whole = not any(isinstance(value, Unknown) for value in capture.facts.values())
    if not path or is_passing or capture.answer is None or capture.failure or not is_whole:
        return
    if _holds_a_secret(capture.answer):  # it stays where it is
        return
    for name in _CONFIG_FILES:
        recording.depend_on(project.path(name))
    trace = recording.trace([(verify.SAY, _text(capture, capture.answer), "")])
    if trace is not None:
        document.save(path, trace)


def _holds_a_secret(answer: ProbeAnswer) -> bool:
    """Whether a text of a distribution's looks like a secret: a token in direct_url.json."""
    return any(is_secret_value(each.direct_url or "") for each in answer.distributions) or (
        holds_secret(msgspec.json.encode(answer).decode())
    )


def _path(project: Project, environment: Environment, environ: Mapping[str, str]) -> str:
    cache = document.cache_folder(environ)
    # No environment's name has a space in it.
    return document.path_of(cache, project.root, f"run {environment.name}") if cache else ""


def _text(capture: Capture, answer: ProbeAnswer) -> str:
    kept = _Kept(
        facts=[(address, encoded(value)) for address, value in capture.facts.items()],
        anomalies=capture.anomalies,
        problems=capture.problems,
        answer=answer,
    )
    return msgspec.json.encode(kept).decode()


def _capture(environment: Environment, text: str) -> Capture:
    kept = msgspec.json.decode(text, type=_Kept)
    return Capture(
        environment=environment,
        facts={address: decoded(value, address) for address, value in kept.facts},
        anomalies=kept.anomalies,
        problems=kept.problems,
        answer=kept.answer,
    )
