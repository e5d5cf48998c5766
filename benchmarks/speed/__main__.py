"""Time envstage's commands, its peers and the engines; write docs/speed.md.

python -m benchmarks.speed [--rounds 9] [--folder .cache/speed] [--no-torch] [--markdown FILE]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.speed import captures, engines, environments, growth, report, where
from benchmarks.speed.environments import Environment
from benchmarks.speed.processes import Timed, in_turn

COMMAND: Final = "python -m benchmarks.speed --markdown docs/speed.md"
PARTS: Final = ("captures", "guard", "engines", "growth", "where")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=Path(".cache/speed"))
    parser.add_argument("--no-torch", action="store_true", help="without PyTorch's CPU build")
    parser.add_argument("--only", choices=PARTS, action="append", help="these parts alone")
    parser.add_argument("--markdown", type=Path, help="write the page there")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    made = environments.all_of(folder, torch=not arguments.no_torch)
    parts = [report.head(COMMAND)]
    for text in _parts(made, folder, arguments.rounds, arguments.only or PARTS):
        print(text, "\n", flush=True)
        parts.append(text)
    if arguments.markdown:
        arguments.markdown.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _parts(
    made: tuple[Environment, ...], folder: Path, rounds: int, wanted: tuple[str, ...]
) -> Iterator[str]:
    large = made[1]
    if "captures" in wanted:
        yield report.captures({each.name: _captures(each, rounds) for each in made})
    if "engines" in wanted:
        for title, commands in (
            ("A no-op `dvc repro` of three stages", engines.dvc(large)),
            ("`snakemake -n` of three rules", engines.snakemake(large)),
        ):
            timed = in_turn(tuple(commands), rounds)
            yield report.engines(title, timed, engines.WITHOUT)
    if "guard" in wanted:
        for program in captures.guarded(large):
            bare = program[0].name
            timed = in_turn(program, rounds)
            yield report.engines(f"`envstage run` before {bare}", timed, bare)
    if "growth" in wanted:
        rows = [each.row() for each in growth.all_of(large, folder / "growth", min(rounds, 5))]
        columns = ("what grows", "sizes", "ms of processor time", "slope at the end", "budget")
        yield report.table("How it grows", columns, rows)
    if "where" in wanted:
        yield report.table("Where a capture's time goes", where.COLUMNS, where.rows(large, rounds))


def _captures(environment: Environment, rounds: int) -> tuple[int, dict[str, Timed]]:
    commands = (*captures.others(environment), *captures.ours(environment))
    return environment.distributions(), in_turn(commands, rounds)


if __name__ == "__main__":
    main()
