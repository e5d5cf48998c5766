"""Run rows: change, reproduce, take back, reproduce."""

import fnmatch
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.invalidation import (
    rows_machine,
    rows_origins,
    rows_packages,
    rows_project,
    rows_real,
    rows_views,
)
from benchmarks.invalidation.bench import Bench, rerun_of
from benchmarks.invalidation.table import ALONE, ENVSTAGE, FREEZE, Result, Row


def all_rows() -> tuple[Row, ...]:
    """The rows on small packages that are done for real, in the table's order."""
    return (
        *rows_packages.rows(),
        *rows_origins.rows(),
        *rows_machine.rows(),
        *rows_project.rows(),
    )


def label(row: Row) -> str:
    """What a row is selected by."""
    return f"{row.group}: {row.name}"


def matching(names: Sequence[str], pattern: str) -> frozenset[str]:
    """The names that a pattern selects: a glob, or a part of the name; `|` between several."""
    parts = [part for part in pattern.split("|") if part]
    return frozenset(
        name
        for name in names
        if not parts or any(fnmatch.fnmatch(name, part) or part in name for part in parts)
    )


def run_share(
    folder: Path, pattern: str = "", *, number: int = 0, workers: int = 1
) -> Iterator[Result]:
    """Run the rows that a pattern selects, or one worker's share of them.

    Args:
        folder: an empty one, to work in.
    """
    chosen = [row for row in all_rows() if label(row) in matching([label(row)], pattern)]
    is_last = number == workers - 1
    views = matching(rows_views.names(), pattern) if is_last else frozenset[str]()
    real = matching(rows_real.names(), pattern) if number == 0 else frozenset[str]()
    yield from _run_small(folder, chosen[number::workers], views)
    if real:
        (folder / "real").mkdir()
        yield from rows_real.run(folder / "real", real)


def _run_small(folder: Path, chosen: Sequence[Row], views: frozenset[str]) -> Iterator[Result]:
    if not chosen and not views:
        return
    bench = Bench(folder / "bench")
    bench.build()
    for row in chosen:
        bench.reset()
        yield run_row(bench, row)
    if views:
        bench.reset()
        yield from (each for each in rows_views.run(bench) if label(each.row) in views)


def run_row(bench: Bench, row: Row) -> Result:
    """One row on a bench that is as it was built."""
    start = time.monotonic()
    outputs = []
    for change in row.first:
        change(bench)
        outputs.append(bench.reproduce()[1])
    row.change(bench)
    ran, output = bench.reproduce()
    bench.take_back()
    back, output_back = bench.reproduce(with_rivals=False)
    return Result(
        row=row,
        did={
            ENVSTAGE: rerun_of(ran),
            FREEZE: rerun_of(ran, FREEZE),
            ALONE: rerun_of(ran, ALONE),
        },
        back=rerun_of(back),
        seconds=time.monotonic() - start,
        output="\n----\n".join([*outputs, output, output_back]),
    )
