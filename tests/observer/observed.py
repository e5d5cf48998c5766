"""Run real processes under the observer, and read what they reported."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from envstage.observer.observation import (
    Observation,
    environ_for,
    observe,
    wait_for_stragglers,
)

TIMEOUT_S = 60
VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a command gave, and what was seen of it."""

    returncode: int
    stdout: str
    stderr: str
    observation: Observation


def plain_environ() -> dict[str, str]:
    """This process's variables, less those that act on Python."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COV", "ENVSTAGE"))
    }


def unobserved(
    argv: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command without the observer."""
    return subprocess.run(
        argv,
        cwd=folder,
        env={**plain_environ(), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def observed(
    argv: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
) -> Outcome:
    """Run a command with it."""
    report = folder / "report"
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir()
    completed = unobserved(
        argv, folder, environ_for(str(report), {**plain_environ(), **(environ or {})})
    )
    wait_for_stragglers(str(report), timeout_s=10)
    return Outcome(
        returncode=completed.returncode,
        stdout=completed.stdout,
        stderr=completed.stderr,
        observation=observe(str(report)),
    )


def script(folder: Path, text: str, python: str = sys.executable) -> Outcome:
    """Run a script under the observer."""
    (folder / "script.py").write_text(text)
    return observed([python, "script.py"], folder)


@cache
def pythons() -> tuple[str, ...]:
    """The interpreters of this machine, one a version, that run.

    `ENVSTAGE_TEST_PYTHONS` names further ones, separated as in PATH.
    """
    named = [
        entry for entry in os.environ.get("ENVSTAGE_TEST_PYTHONS", "").split(os.pathsep) if entry
    ]
    found = [path for path in (shutil.which(f"python{version}") for version in VERSIONS) if path]
    real = []
    for candidate in (*named, *found):
        completed = subprocess.run(
            [candidate, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True
        )
        if completed.returncode == 0:  # a shim may stand for a version that is not installed
            real.append(os.path.realpath(completed.stdout.strip()))
    return tuple(dict.fromkeys(real))


def names(observation: Observation, folder: Path) -> set[str]:
    """The stage's own files that were seen, by name."""
    inside = os.path.realpath(folder) + os.sep
    return {
        os.path.relpath(path, inside)
        for path in map(os.path.realpath, observation.files)
        if path.startswith(inside)
    }
