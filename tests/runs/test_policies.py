"""What the guard does where the machine is not what the view says: flags, configuration."""

from pathlib import Path

import pytest

from envstage.config import Guard
from envstage.runs.policy import OnDrift, OnMismatch, Policy, Verdicts, policy_of
from tests.runs.launched import GUARD, PYTHON, Launcher, Outcome

ELSEWHERE = {"PYTHONHASHSEED": "7"}
SCRIPT = (PYTHON, "script.py")
RAN = 3


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((None, None), Policy(on_mismatch=OnMismatch.RECORD, on_drift=OnDrift.WARN)),
        (("refuse", "fail"), Policy()),
        (("warn", None), Policy(on_mismatch=OnMismatch.WARN, on_drift=OnDrift.WARN)),
    ],
)
def test_flags_win(flags: tuple[str | None, str | None], expected: Policy) -> None:
    configured = Guard(on_mismatch="record", on_drift="warn")
    assert policy_of(configured, *flags, True) == expected


def test_verdicts_of_parts_are_joined() -> None:
    first, second = Verdicts(mismatch="a"), Verdicts(mismatch="b", drift="c")
    assert first.union(second) == Verdicts(mismatch="a; b", drift="c")
    assert first.union(first) == first


def started(project: Path, *flags: str) -> Outcome:
    outcome = Launcher(project, (*GUARD, *flags)).run(SCRIPT, environ=ELSEWHERE)
    assert (outcome.status == RAN) == (b"__main__" in outcome.stdout)
    return outcome


def test_refused_unless_told_otherwise(project: Path) -> None:
    outcome = started(project)
    assert outcome.status == 125
    assert outcome.stderr.startswith(b"envstage: environment/views/train.json: this machine is not")
    assert b"PYTHONHASHSEED" in outcome.stderr


def test_warned_before_it_starts(project: Path) -> None:
    outcome = started(project, "--on-mismatch", "warn")
    assert outcome.status == RAN
    first, second = outcome.stderr.splitlines()
    assert b"PYTHONHASHSEED" in first
    assert first.endswith(b"started nevertheless")
    assert second == b"to the other stream"


def test_recorded(project: Path) -> None:
    outcome = Launcher(project, (*GUARD, "--on-mismatch", "record")).run(
        (PYTHON, "-c", "pass"), environ=ELSEWHERE
    )
    assert outcome.status == 0
    assert outcome.stderr.endswith(b"; recorded\n")
    assert outcome.stderr.count(b"\n") == 1


def test_configured(project: Path) -> None:
    configuration = project / "envstage.yaml"
    before = configuration.read_text()
    try:
        configuration.write_text(before + "guard: {on_mismatch: warn}\n")
        assert started(project).status == RAN
        assert started(project, "--on-mismatch", "refuse").status == 125
        configuration.write_text(before + "guard: {on_mismatch: wran}\n")
        outcome = started(project)
    finally:
        configuration.write_text(before)
    assert outcome.status == 2
    assert b"envstage.yaml:2" in outcome.stderr
    assert b"`wran` is none of refuse, warn, record" in outcome.stderr


@pytest.mark.parametrize(
    ("configured", "flags", "is_observed"),
    [("false", (), False), ("false", ("--observe",), True), ("true", ("--no-observe",), False)],
)
def test_observed_as_flag_or_configuration_says(
    project: Path, configured: str, flags: tuple[str, ...], is_observed: bool
) -> None:
    configuration = project / "envstage.yaml"
    before = configuration.read_text()
    text = "import os; print('ENVSTAGE_OBSERVE' in os.environ)"
    try:
        configuration.write_text(f"{before}guard: {{observe: {configured}}}\n")
        outcome = Launcher(project, (*GUARD, *flags)).run((PYTHON, "-c", text))
    finally:
        configuration.write_text(before)
    assert (outcome.stdout.strip(), outcome.stderr) == (str(is_observed).encode(), b"")


def test_word_that_is_none(project: Path) -> None:
    outcome = started(project, "--on-drift", "explode")
    assert outcome.status == 2
    assert b"invalid choice: 'explode'" in outcome.stderr
