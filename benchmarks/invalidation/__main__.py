"""`python -m benchmarks.invalidation`: the truth table, on this machine."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.invalidation import render
from benchmarks.invalidation.run import all_rows, run_share
from benchmarks.invalidation.table import Result
from benchmarks.invalidation.workflow_page import workflow_page
from benchmarks.invalidation.workflow_rows import run_workflow


def main() -> int:
    """Run the rows; 0 where envstage missed nothing and reran nothing needlessly."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.invalidation", description=__doc__)
    parser.add_argument("--rows", default="", metavar="PATTERN",
                        help="rows whose `group: name` matches; `|` between patterns")  # fmt: skip
    parser.add_argument("--engine", choices=("dvc", "snakemake"), default="dvc")
    parser.add_argument("--json", action="store_true", help="the results as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page of the docs")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--output", action="store_true", help="what wrong rows printed")
    arguments = parser.parse_args()
    is_workflow = arguments.engine == "snakemake"
    share = run_workflow if is_workflow else run_share
    results = _run(share, arguments.rows, arguments.workers)
    wrong = [result for result in results if not result.is_right]
    if arguments.json:
        print(json.dumps(render.as_json(results), indent=2))
    else:
        if arguments.output:
            for result in wrong:
                print(f"==== {render.line(result)}\n{result.output}\n")
        print(render.summary(results))
    if arguments.markdown:
        arguments.markdown.parent.mkdir(parents=True, exist_ok=True)
        page = workflow_page(results) if is_workflow else render.markdown(results)
        arguments.markdown.write_text(page)
    return 1 if wrong else 0


def _run(run: Callable[..., Iterator[Result]], pattern: str, workers: int) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="invalidation-") as folder:
        found: list[Result] = []
        # The work is done by other processes.
        with ThreadPoolExecutor(workers) as pool:
            shares = [
                pool.submit(_share, run, f"{folder}/{number}", pattern, number, workers)
                for number in range(workers)
            ]
            for share in shares:
                found.extend(share.result())
    order = {f"{row.group}: {row.name}": index for index, row in enumerate(all_rows())}
    last = len(order)
    return sorted(found, key=lambda each: order.get(f"{each.row.group}: {each.row.name}", last))


def _share(
    run: Callable[..., Iterator[Result]], folder: str, pattern: str, number: int, workers: int
) -> list[Result]:
    found = []
    Path(folder).mkdir()
    for result in run(Path(folder), pattern, number=number, workers=workers):
        print(render.line(result), file=sys.stderr, flush=True)
        found.append(result)
    return found


if __name__ == "__main__":
    sys.exit(main())
