"""What people do instead: freeze, then install the list. Judged as envstage's own rebuilds are.

The list is written and installed as anybody would: `pip freeze` and `pip install -r`, `uv pip
freeze` and `uv pip install -r`, with the options that name the set's own places. What came is
captured and judged by envstage, package by package.
"""

import enum
import re
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from envstage.capture.assemble import snapshot_of
from envstage.capture.collect import collect
from envstage.config import Config, Environment
from envstage.facets.packages import TOOLING
from envstage.recreate.verdicts import judge
from envstage.snapshot.document import decode
from envstage.world import Machine
from tests.wheels import UV


class Outcome(enum.Enum):
    """How a rebuild ended, as a cell of the table says it."""

    BEST = "yes"
    SAID = "no, said"
    SILENT = "no, silent"


PEERS = ("pip", "uv")


def peer(
    name: str, root: Path, folder: Path, options: Sequence[str], lost: Collection[str]
) -> Outcome:
    """Freeze the environment of a project with a peer, install the list, judge what came."""
    python, target = root / ".venv" / "bin" / "python", folder / f"by-{name}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, str(target)], check=True)
    new = str(target / "bin" / "python")
    freeze = [*pip, str(python), "freeze"]
    # Bytecode takes most of pip's time, and is part of no comparison.
    install = [*pip, new, "install", "-q", "--no-input", "--no-compile"]
    if name == "uv":
        freeze = [UV, "pip", "freeze", "--python", str(python)]
        install = [UV, "pip", "install", "-q", "--python", new]
    frozen = subprocess.run(freeze, capture_output=True, text=True, check=True)
    listed = folder / f"{name}.txt"
    listed.write_text(frozen.stdout)
    done = subprocess.run(
        [*install, *options, "-r", str(listed)], capture_output=True, text=True, check=False
    )
    comments = [line for line in frozen.stdout.splitlines() if line.startswith("#")]
    complaints = f"{frozen.stderr}\n{done.stderr}".splitlines()
    # An index in a folder that lacks a name is no word on what was installed.
    said = "\n".join(
        [*comments, *(line for line in complaints if not line.startswith("WARNING: Location"))]
    )
    wrong = _wrong(root, new) if done.returncode == 0 else set(lost)
    return judged(wrong, lost, said, is_refused=done.returncode != 0)


def judged(wrong: set[str], lost: Collection[str], said: str, *, is_refused: bool) -> Outcome:
    """The best that is possible, or what went wrong and whether anybody heard of it.

    Args:
        lost: what cannot come back: naming it is then the best that is possible.
    """
    if not wrong and not is_refused:
        return Outcome.BEST
    is_named = all(re.search(rf"(?i)\b{re.escape(each)}\b", said) for each in wrong)
    if is_refused or is_named:
        is_best = bool(lost) and wrong <= set(lost) and is_named
        return Outcome.BEST if is_best else Outcome.SAID
    return Outcome.SILENT


def _wrong(root: Path, python: str) -> set[str]:
    """The packages that are not as they were, installers and build tools aside."""
    wanted = decode((root / "environment" / "environment.json").read_bytes(), "")
    environment = Environment(python=python, level=wanted.level)
    found = snapshot_of(collect(Machine(), str(root), Config(), environment), Config())
    verdicts = {each.name: each.verdict for each in judge(wanted, found)}
    return {name for name, each in verdicts.items() if not each.is_good} - TOOLING
