"""Ask the probe and every facet: all the facts of one environment on this machine."""

import contextlib
import fnmatch

import msgspec

from envstage.capture.recording import unrecorded
from envstage.config import Config, Environment
from envstage.errors import CaptureError
from envstage.facets import catalogue
from envstage.facets.contract import Collected, Facet, ProbeAnswer, Request
from envstage.interpreter import (
    ProbeError,
    Probing,
    finish_probe,
    start_probe,
    witness_failure,
    witness_probe,
)
from envstage.snapshot.model import Address, Facts, Level, Unknown, Value, covers
from envstage.snapshot.secrets import without_secret_words
from envstage.snapshot.withheld import without_suspects
from envstage.trace.document import cache_folder
from envstage.world import World

_PROBED = ("python", "packages")
_NEEDS_PROBE = (*_PROBED, "conda", "hardware")
NO_ANSWER = Unknown("the interpreter gave no answer")


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was seen of one environment: every level, and the context's facts.

    `anomalies` belong to the environment and are part of its snapshot; `problems` belong to
    this one capture.
    """

    environment: Environment
    facts: Facts
    anomalies: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    failure: ProbeError | None = None
    answer: ProbeAnswer | None = None


def collect(world: World, root: str, config: Config, environment: Environment) -> Capture:
    """Look at an environment. What fails is an unknown fact; nothing is raised.

    The probe works in its own process while the other facets are collected in this one.
    """
    request = _request(root, config, environment)
    answer: ProbeAnswer | None = None
    failure: ProbeError | None = None
    probing: Probing | None = None
    try:
        probing = start_probe(
            world, environment.python, root, cache_folder(unrecorded(world).environ)
        )
    except ProbeError as error:
        failure = error
    others = [each for each in catalogue.facets() if each.NAME not in _NEEDS_PROBE]
    try:
        collected = [_collected(each, world, request) for each in others]
    except BaseException:  # Ctrl-C or SIGTERM: an interpreter that hangs is not left behind
        if probing is not None:
            with contextlib.suppress(ProbeError):
                finish_probe(probing, 0)
        raise
    if probing is not None:
        try:
            answer = finish_probe(probing, config.timeout_s)
            witness_probe(world, probing, answer)
        except ProbeError as error:
            witness_failure(world, probing.command)
            failure = error
    request = msgspec.structs.replace(request, probe=answer)
    probed = [each for each in catalogue.facets() if each.NAME in _NEEDS_PROBE]
    collected += [_collected(each, world, request) for each in probed]
    facts: dict[Address, Value] = {}
    for each in collected:
        facts.update(each.facts)
    if failure is not None:
        facts.update(_unanswered())
    anomalies = {without_secret_words(text) for each in collected for text in each.anomalies}
    return Capture(
        environment=environment,
        facts=without_suspects(facts),
        anomalies=tuple(sorted(anomalies)),
        problems=_problems(world, answer, failure),
        failure=failure,
        answer=answer,
    )


def belongs_here(world: World, root: str, config: Config, environment: Environment) -> bool:
    """Whether this machine is one of the environment's: every pattern of `where` holds.

    Raises:
        CaptureError: a fact that `where` asks for is unknown, so nobody can tell.
    """
    if not environment.where:
        return True
    request = _request(root, config, environment)
    names = {pattern.split(".")[0] for pattern, _ in environment.where}
    facts: dict[Address, Value] = {}
    for each in catalogue.facets():
        if each.NAME in names and each.NAME not in _PROBED:
            facts.update(_collected(each, world, request).facts)
    if names & set(_PROBED):
        facts.update(collect(world, root, config, environment).facts)
    return all(_holds(facts, *condition, environment) for condition in environment.where)


def gpu_is_visible(world: World, root: str, config: Config) -> bool:
    """Whether a GPU can be used here: then the hardware level is the right one."""
    request = Request(root=root, level=Level.HARDWARE, image=config.image)
    facts = _collected(catalogue.facet("hardware"), world, request).facts
    visible = facts.get(("hardware", "gpu", "visible"))
    return isinstance(visible, tuple) and bool(visible)


def _request(root: str, config: Config, environment: Environment) -> Request:
    include = [pattern for view in config.views_of(environment.name) for pattern in view.include]
    include += [pattern for pattern, _ in environment.where]
    return Request(
        root=root,
        level=environment.level,
        include=tuple(dict.fromkeys(include)),
        watch=config.watch,
        tools=config.tools,
        image=config.image,
        verify=config.verify,
    )


def _collected(facet: Facet, world: World, request: Request) -> Collected:
    try:
        return facet.collect(world, request)
    except Exception as error:  # the one broad except: a facet's fault costs its facts, no more
        why = Unknown(f"its collector failed: {type(error).__name__}")
        facts: dict[Address, Value] = {
            tuple(rule.pattern.split(".")): why for rule in facet.FACTS if request.wants(rule)
        }
        return Collected(facts=facts, anomalies=(f"the collector of {facet.NAME} failed: {error}",))


def _unanswered() -> Facts:
    return {
        ("python", "version"): NO_ANSWER,
        ("packages", "*", "version"): NO_ANSWER,
    }


def _holds(facts: Facts, pattern: str, expected: str, environment: Environment) -> bool:
    found = [value for address, value in facts.items() if covers(pattern, address)]
    for value in found:
        if isinstance(value, Unknown):
            raise CaptureError(
                f"cannot tell whether this machine belongs to it: {pattern} is unknown "
                f"({value.why})",
                where=f"environment {environment.name}",
                fix="Mend that, or set ENVSTAGE_MODE=hold",
            )
    return any(_matches(value, expected) for value in found)


def _matches(value: Value, expected: str) -> bool:
    values = value if isinstance(value, tuple) else (value,)
    return any(
        isinstance(each, str | int) and fnmatch.fnmatchcase(str(each), expected) for each in values
    )


def _problems(
    world: World, answer: ProbeAnswer | None, failure: ProbeError | None
) -> tuple[str, ...]:
    if failure is not None:
        return (f"{failure.what}. {failure.fix}.",)
    active = world.environ.get("VIRTUAL_ENV") or world.environ.get("CONDA_PREFIX")
    if answer is None or not active:
        return ()
    if world.real_path(active) == world.real_path(answer.prefix):
        return ()
    return (
        f"the environment described is {answer.prefix}, the active one is {active}: "
        "the stages' `python` is the first on PATH, whatever is active",
    )
