"""What the guard adds to a command, measured in pairs.

    python -m benchmarks.guard [--rounds N]

In the environment of the interpreter that runs it. Bare and guarded runs take turns, so that a busy
machine slows both alike. Printed are medians of the paired differences: elapsed time, and processor
time of all processes (which another load on the machine disturbs less).
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# What a trace rests on must have settled on its disk.
_SETTLED_S: Final = 2.5
_GUARD: Final = (sys.executable, "-m", "envstage", "run", "--view", "train")
_PROGRAMS: Final = {
    "nothing": "pass",
    "half a second": "import time; time.sleep(0.5)",
}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        _prepare(Path(folder))
        print("| program | guard | elapsed | processor time |")
        print("| --- | --- | ---: | ---: |")
        for name, text in _PROGRAMS.items():
            for options in ((), ("--no-observe",)):
                wall, processor = _pairs((sys.executable, "-c", text), options, folder, rounds)
                kind = " ".join(options) or "observes"
                print(f"| {name} | {kind} | +{wall:.0f} ms | +{processor:.0f} ms |")


def _prepare(folder: Path) -> None:
    (folder / "envstage.yaml").write_text("views: {train: {}}\n")
    (folder / ".envstage").mkdir()
    time.sleep(_SETTLED_S)
    subprocess.run(
        [sys.executable, "-m", "envstage", "capture"], cwd=folder, check=True, capture_output=True
    )
    time.sleep(_SETTLED_S)


def _pairs(
    argv: Sequence[str], options: Sequence[str], folder: str, rounds: int
) -> tuple[float, float]:
    guarded = (*_GUARD, *options, "--", *argv)
    found = []
    for _ in range(rounds + 1):
        bare, under_guard = _measured(argv, folder), _measured(guarded, folder)
        found.append([after - before for before, after in zip(bare, under_guard, strict=True)])
    wall, processor = zip(*found[1:], strict=True)  # the first pair warms up
    return statistics.median(wall), statistics.median(processor)


def _measured(argv: Sequence[str], folder: str) -> tuple[float, float]:
    """Elapsed and processor time of a command, in milliseconds."""
    before, began = _processor_s(), time.perf_counter()
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1e3, (_processor_s() - before) * 1e3


def _processor_s() -> float:
    """Of all children that have ended, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
