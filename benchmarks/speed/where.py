"""Where the time of a capture that finds nothing new goes, part by part."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.speed.captures import PASS, UNCHANGED, project_of
from benchmarks.speed.environments import Environment, run
from benchmarks.speed.processes import Command, in_turn

COLUMNS: Final = ("part", "processor time")
_PROBE: Final = "import envstage.interpreter as i; print(i.PROBE)"
_IMPORTS: Final = "import envstage.cli, envstage.trace.verify"


def rows(environment: Environment, rounds: int) -> Iterator[tuple[str, ...]]:
    """Each part as a process of its own, so that it can be run by hand, too."""
    root = project_of(environment, "where")
    python, environ = str(environment.python), environment.environ
    probe = run(python, "-c", _PROBE, cwd=root).strip()
    options = ("-c", "safe.directory=*", "-c", "core.fsmonitor=false")
    parts = {
        PASS: (python, "-c", "pass"),
        "the probe, asked whether anything is new": (python, probe, "cookie"),
        "git diff HEAD": ("git", *options, "diff", "HEAD"),
        "Python and envstage's imports": (python, "-c", _IMPORTS),
        UNCHANGED: (str(environment.bin / "envstage"), "capture"),
    }
    commands = [
        Command(name=name, argv=argv, cwd=root, environ=environ) for name, argv in parts.items()
    ]
    for _ in range(3):
        run(*parts[UNCHANGED], cwd=root, environ=environ)
        subprocess.run(["sleep", "2.1"], check=True)
    timed = in_turn(commands, rounds)
    for name in parts:
        yield name, f"{timed[name].cpu_ms:.1f} ms"
    own = timed[UNCHANGED].cpu_ms - sum(timed[name].cpu_ms for name in list(parts)[1:-1])
    yield "what remains: the questions themselves", f"{own:.1f} ms"
    yield from _system_calls(root, environment)


def _system_calls(root: Path, environment: Environment) -> Iterator[tuple[str, ...]]:
    """Counts, which no busy machine changes; where strace is installed."""
    strace = shutil.which("strace")
    if strace is None:
        return
    program = str(environment.bin / "envstage")
    for name, calls in (("files opened", "openat"), ("files looked at", "newfstatat,stat,statx")):
        argv = (strace, "-f", "-c", "-e", f"trace={calls}", "-U", "calls", program, "capture")
        done = subprocess.run(
            argv, cwd=root, env=environment.environ, capture_output=True, text=True
        )
        counts = [int(line) for line in done.stderr.splitlines() if line.strip().isdigit()]
        if counts:
            yield f"{name}, in all processes", f"{counts[-1]:,}"
