"""Capture, recreate elsewhere, compare: `make bench-recreate` prints the table.

Each set is installed into a new environment, captured, rebuilt by `envstage recreate` in another
folder, captured again. "software" and "builds" count packages whose version and whose build
digest came back.
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

from benchmarks.recreate_sets import SETS, Set
from tests.wheels import UV

HEAD = "| set | by | packages | software | builds | own builds | seconds | remarks |"
VERSIONS = ("other version", "missing", "not in the snapshot")


def main() -> int:
    """Run the sets that are named, or all; exit 1 where one did not come back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only the sets whose names hold one of these")
    parser.add_argument("-o", "--output", type=Path, help="write the table to this file too")
    arguments = parser.parse_args()
    rows = [HEAD, "| --- " * HEAD.count(" | ") + "| --- |"]
    print("\n".join(rows), flush=True)
    is_good = True
    for each in SETS:
        if arguments.names and not any(word in each.name for word in arguments.names):
            continue
        row, is_back = measured(each)
        is_good = is_good and is_back
        rows.append(row)
        print(row, flush=True)
    if arguments.output:
        arguments.output.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return 0 if is_good else 1


def measured(each: Set) -> tuple[str, bool]:
    """The row of one set, and whether all of it came back."""
    with tempfile.TemporaryDirectory(prefix="recreate-") as name:
        folder = Path(name)
        try:
            root = installed(each, folder)
            started = time.monotonic()
            options = each.options(folder) if each.options else ()
            outcome = recreated(root, folder / "elsewhere", options)
        except subprocess.CalledProcessError as error:
            last = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
            return f"| {each.name} | {each.installer} | | | | | | {' '.join(last)[:200]} |", False
    return row_of(each, outcome, time.monotonic() - started), bool(outcome["reproduced"])


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
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    if each.installer == "uv":
        install = [UV, "pip", "install", "-q", "--python", str(python)]
    for line in lines:
        call(*install, *line.split())
    call(sys.executable, "-m", "envstage", "capture", "-C", str(root))
    return root


def recreated(root: Path, target: Path, options: Sequence[str]) -> dict[str, Any]:
    """What `envstage recreate --json` says."""
    argv = [sys.executable, "-m", "envstage", "recreate", "-C", str(root), "--json", "-q", "--keep"]
    done = subprocess.run(
        [*argv, "--to", str(target), *options], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise subprocess.CalledProcessError(done.returncode, argv, done.stdout, done.stderr)
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def row_of(each: Set, outcome: dict[str, Any], seconds: float) -> str:
    """One line of the table."""
    packages = outcome["packages"]
    verdicts = [package["verdict"] for package in packages]
    software = sum(verdict not in VERSIONS for verdict in verdicts)
    good = ("same", "same source, own build", "same version, no build known")
    builds = sum(verdict in good for verdict in verdicts)
    own = verdicts.count("same source, own build")
    wrong = [f"{package['name']}: {package['verdict']}" for package in packages]
    wrong = [text for text, verdict in zip(wrong, verdicts, strict=True) if verdict not in good]
    cells = (each.name, each.installer, len(verdicts), software, builds, own, f"{seconds:.0f}")
    return "| " + " | ".join(str(cell) for cell in (*cells, "; ".join(wrong[:3]))) + " |"


def call(*argv: str) -> None:
    """Run a program; its complaint is the error."""
    environ = {key: text for key, text in os.environ.items() if key != "VIRTUAL_ENV"}
    subprocess.run(argv, check=True, capture_output=True, text=True, env=environ)


if __name__ == "__main__":
    sys.exit(main())
