"""Faults in a real capture, before each of its changes of a file."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.faults.inject import PASSED
from tests.repository import Repository

INJECT = Path(__file__).with_name("inject.py")
# A capture changes fewer than fifty files.
_ENDLESS = 400


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a capture with a fault in it ended."""

    at: int
    code: int
    said: str


def capture_with(repository: Repository, fault: str, at: int, **environ: str) -> Ended:
    """One capture, with a fault before its `at`-th change of a file."""
    done = subprocess.run(
        [sys.executable, str(INJECT), fault, str(at)],
        cwd=repository.root,
        env=repository.variables(**environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout, f"{fault} at {at}\n{done.stdout}"
    return Ended(at=at, code=done.returncode, said=done.stdout)


def at_changes(repository: Repository, fault: str, step: int, **environ: str) -> Iterator[Ended]:
    """A capture for each `step`-th point at which the fault can happen, from the same state."""
    kept = repository.base / "kept"
    shutil.copytree(repository.root, kept, symlinks=True)
    for at in range(1, _ENDLESS, step):
        ended = capture_with(repository, fault, at, **environ)
        if ended.code == PASSED:
            assert at > 5, "a capture changes more files than that"
            return
        yield ended
        shutil.rmtree(repository.root, ignore_errors=True)
        shutil.copytree(kept, repository.root, symlinks=True)
    raise AssertionError("a capture that never ends")
