"""Capture, recreate elsewhere, compare: `make bench-recreate` prints the table.

Each set is installed into a new environment, captured, rebuilt by `envstage recreate` in another
folder, captured again. "software" and "builds" count packages whose version and whose build
digest came back. Beside it, what freezing and installing the list brings back.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.recreate_peers import PEERS, Outcome, judged, peer
from benchmarks.recreate_set import Set
from benchmarks.recreate_sets import SETS
from envstage.facets.packages import TOOLING
from tests.wheels import UV

HEAD = (
    "| set | by | packages | software | builds | own builds | seconds | envstage | pip | uv "
    "| remarks |"
)
NAMES = ("envstage", *PEERS)
GOOD = ("same", "same source, own build", "same version, no build known")
VERSIONS = ("other version", "missing", "not in the snapshot")


def main() -> int:
    """Run the sets that are named, or all; exit 1 where one did not come back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only the sets whose names hold one of these")
    parser.add_argument("-o", "--output", type=Path, help="write the table to this file too")
    arguments = parser.parse_args()
    rows = [HEAD, "| --- " * HEAD.count(" | ") + "| --- |"]
    print("\n".join(rows), flush=True)
    counts: list[tuple[Outcome, ...]] = []
    for each in SETS:
        if arguments.names and not any(word in each.name for word in arguments.names):
            continue
        row, outcomes = measured(each)
        counts.append(outcomes)
        rows.append(row)
        print(row, flush=True)
    rows += ["", *totals(counts)]
    print("\n".join(rows[-1 - len(NAMES) :]))
    if arguments.output:
        arguments.output.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return 0 if all(each[0] is Outcome.BEST for each in counts) else 1


def totals(counts: Sequence[tuple[Outcome, ...]]) -> list[str]:
    """One line for each way back: how many sets it brought back, or got wrong."""
    lines = []
    for index, name in enumerate(NAMES):
        column = [each[index] for each in counts]
        words = ", ".join(f"{column.count(each)} {each.value}" for each in Outcome)
        lines.append(f"- {name}: of {len(column)} sets {words}")
    return lines


def measured(each: Set) -> tuple[str, tuple[Outcome, ...]]:
    """The row of one set, and how each way back ended."""
    with tempfile.TemporaryDirectory(prefix="recreate-") as name:
        folder = Path(name)
        root = installed(each, folder)
        if each.afterwards:
            each.afterwards(folder)
        options = each.options(folder) if each.options else ()
        started = time.monotonic()
        outcome = recreated(root, folder / "elsewhere", options)
        seconds = time.monotonic() - started
        others = [peer(name, root, folder, options, each.lost) for name in PEERS]
    outcomes = (ended(each, outcome), *others)
    return row_of(each, outcome, outcomes, seconds), outcomes


def ended(each: Set, outcome: dict[str, Any]) -> Outcome:
    """How envstage's own rebuild ended, by the measure of the others."""
    if "refused" in outcome:
        return judged(set(each.lost), each.lost, outcome["refused"], is_refused=True)
    wrong = {each["name"]: each["reason"] for each in outcome["packages"] if not is_good(each)}
    said = "" if outcome["reproduced"] else " ".join(name for name, text in wrong.items() if text)
    return judged(set(wrong) - TOOLING, each.lost, said, is_refused=False)


def is_good(package: dict[str, Any]) -> bool:
    """Whether a package is as it was."""
    return package["verdict"] in GOOD


def installed(each: Set, folder: Path) -> Path:
    """A project with the set in its environment, captured."""
    root = folder / "project"
    root.mkdir()
    call("git", "init", "-q", str(root))
    (root / "envstage.yaml").write_text(
        "environments:\n  main: {python: .venv/bin/python, level: platform}\n"
    )
    python = root / ".venv" / "bin" / "python"
    call(UV, "venv", "-q", "--python", sys.executable, str(root / ".venv"))
    lines = each.lines + (each.prepared(folder) if each.prepared else ())
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "-q",
        "--no-compile",
    ]
    if each.installer == "uv":
        install = [UV, "pip", "install", "-q", "--python", str(python)]
    for line in lines:
        call(*install, *line.split())
    call(sys.executable, "-m", "envstage", "capture", "-C", str(root))
    return root


def recreated(root: Path, target: Path, options: Sequence[str]) -> dict[str, Any]:
    """What `envstage recreate --json` says."""
    argv = [sys.executable, "-m", "envstage", "recreate", "-C", str(root), "--json", "-q"]
    done = subprocess.run(
        [*argv, "--to", str(target), *options], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        return {"refused": done.stderr, "packages": []}
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def row_of(each: Set, outcome: dict[str, Any], outcomes: Sequence[Outcome], seconds: float) -> str:
    """One line of the table."""
    packages = outcome["packages"]
    verdicts = [package["verdict"] for package in packages]
    software = sum(verdict not in VERSIONS for verdict in verdicts)
    builds = sum(is_good(package) for package in packages)
    own = verdicts.count("same source, own build")
    wrong = [f"{each['name']}: {each['verdict']}" for each in packages if not is_good(each)]
    if "refused" in outcome:
        line = outcome["refused"].strip().splitlines()[-1].removeprefix("envstage: ")
        wrong = ["refused: " + line.partition(". ")[0].partition(" (")[0]]
    cells = (each.name, each.installer, len(verdicts), software, builds, own, f"{seconds:.0f}")
    words = tuple(each.value for each in outcomes)
    return "| " + " | ".join(str(cell) for cell in (*cells, *words, "; ".join(wrong[:3]))) + " |"


def call(*argv: str) -> None:
    """Run a program; its complaint is the error."""
    environ = {key: text for key, text in os.environ.items() if key != "VIRTUAL_ENV"}
    subprocess.run(argv, check=True, capture_output=True, text=True, env=environ)


if __name__ == "__main__":
    sys.exit(main())
