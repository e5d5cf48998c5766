"""The table's rows under Snakemake: change, plan, run, take back, plan."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.invalidation.run import all_rows, label, matching
from benchmarks.invalidation.stages import ARRAYS, FRAMES
from benchmarks.invalidation.table import ENVSTAGE, SNAKEMAKE, Result, Row
from benchmarks.invalidation.workflow import Planned, WorkflowBench

_NO_CACHE: Final = "Snakemake keeps one result, the last: it has no run cache"
# Where what should rerun is another thing than under DVC.
_OTHERWISE: Final[Mapping[str, frozenset[str]]] = {
    "there and back: used: 1.0, 2.0, 1.0": ARRAYS,
    "there and back: used: back, with an unused one moved on": ARRAYS,
    "there and back: used: 1.0, 2.0, 3.0, 2.0": ARRAYS,
    "there and back: used: 2.0 again, with another used one moved on": ARRAYS,
    "there and back: bottle appears, goes, appears": frozenset({FRAMES}),
}
_CLONE: Final = "clones and modes: a fresh clone elsewhere"
# The reason may be the code or the data.
NOT_EXPLAINED: Final = ("code", "there and back")


def workflow_rows() -> tuple[Row, ...]:
    """Every row that is done for real, with what should rerun under Snakemake."""
    return tuple(map(_under_snakemake, all_rows()))


def run_workflow(
    folder: Path, pattern: str = "", *, number: int = 0, workers: int = 1
) -> Iterator[Result]:
    """Run the rows that a pattern selects, or one worker's share of them, in an empty folder."""
    rows = [row for row in workflow_rows() if label(row) in matching([label(row)], pattern)]
    chosen = rows[number::workers]
    if not chosen:
        return
    bench = WorkflowBench(folder / "bench")
    bench.build()
    for row in chosen:
        bench.reset()
        yield _run_row(bench, row)


def _under_snakemake(row: Row) -> Row:
    name = label(row)
    if name == _CLONE:
        return msgspec.structs.replace(row, change=lambda bench: bench.move_to_clone())
    if name in _OTHERWISE:
        return msgspec.structs.replace(row, should=_OTHERWISE[name], why=_NO_CACHE)
    return row


def _run_row(bench: WorkflowBench, row: Row) -> Result:
    """One row on a bench that is as it was built.

    Planned, then run: what ran must be what was planned. Taken back, the results are those of
    the change: the same rules would run again. That is planned alone, and only told of a row
    that changes once.
    """
    start = time.monotonic()
    outputs = []
    for change in row.first:
        change(bench)
        outputs.append(bench.snakemake("-k").output)
    row.change(bench)
    planned = bench.snakemake("-n")
    unexplained = [] if row.group in NOT_EXPLAINED else _unexplained(bench, planned)
    ran = bench.snakemake("-k") if planned.stages or row.should else planned
    bench.take_back()
    back = bench.snakemake("-n")
    is_told = not row.first and label(row) != _CLONE
    outputs += [planned.output, ran.output, back.output, *unexplained]
    return Result(
        row=msgspec.structs.replace(row, back=row.should if is_told else back.stages),
        did={ENVSTAGE: ran.stages},
        back=back.stages,
        kind=SNAKEMAKE,
        planned=planned.stages,
        unexplained=len(unexplained),
        seconds=time.monotonic() - start,
        output="\n----\n".join(outputs),
    )


def _unexplained(bench: WorkflowBench, planned: Planned) -> list[str]:
    """Of the rules that would run, those whose reason does not name the view, or whose output's
    `envstage why` names no fact."""
    found = []
    for stage, reason in planned.reasons.items():
        if f"environment/views/{stage}.json" not in reason:
            if "data.csv" not in reason and "own/" not in reason:
                found.append(f"{stage}: {reason}")
            continue
        said = bench.explained(stage)
        if "it would run again because of:" not in said:
            found.append(f"{stage}: {said}")
    return found
