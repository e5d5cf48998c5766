"""The truth table of environment changes: a dozen rows always, all of them in the long run."""

from pathlib import Path

import pytest

from benchmarks.invalidation.render import line
from benchmarks.invalidation.run import all_rows, label, run_share
from benchmarks.invalidation.stages import STAGES
from benchmarks.invalidation.workflow_rows import run_workflow, workflow_rows
from benchmarks.sharing import Walk

pytestmark = pytest.mark.e2e

REPRESENTATIVE = (
    "used packages: sixish upgraded",
    "unused packages: all that nobody imports upgraded",
    "new packages: bottle appears in bottle-fork",
    "new packages: a plugin in a queried group",
    "reinstalled: everything rebuilt elsewhere",
    "another build of the same version: threadctl compiled again here",
    "moved to a VCS origin: science from Git, other files",
    "editable installs: inside: its version",
    "PYTHONPATH: a module that shadows joblike",
    "variables: CUBLAS_WORKSPACE_CONFIG",
    "GPUs: driver upgraded",
    "there and back: used: back, with an unused one moved on",
    "machine: ",
)
# Under Snakemake: an environment's change takes one process more, and each job a second.
WORKFLOW = (
    "used packages: sixish upgraded",
    "new packages: bottle appears in bottle-fork",
    "another build of the same version: threadctl compiled again here",
    "reinstalled: everything rebuilt elsewhere",
    "PYTHONPATH: a module that shadows joblike",
    "GPUs: driver upgraded",
    "tools: a declared tool removed",
    "there and back: used: 1.0, 2.0, 1.0",
    "the repository: files touched",
    "clones and modes: a fresh clone elsewhere",
    "installers and envstage: envstage itself upgraded",
    "code: code of one, package of another",
)
SEED = 7


def wrong(tmp_path: Path, pattern: str) -> tuple[int, list[str]]:
    results = list(run_share(tmp_path, pattern))
    return len(results), [f"{line(each)}\n{each.output}" for each in results if not each.is_right]


def test_representative_rows(tmp_path: Path) -> None:
    count, found = wrong(tmp_path, "|".join(REPRESENTATIVE))
    assert count >= len(REPRESENTATIVE)
    assert found == []


def test_representative_rows_under_snakemake(tmp_path: Path) -> None:
    results = list(run_workflow(tmp_path, "|".join(WORKFLOW)))
    assert len(results) == len(WORKFLOW)
    assert [f"{line(each)}\n{each.output}" for each in results if not each.is_right] == []


@pytest.mark.long
def test_every_row_under_snakemake(tmp_path: Path) -> None:
    results = list(run_workflow(tmp_path))
    assert len(results) == len(workflow_rows())
    assert [f"{line(each)}\n{each.output}" for each in results if not each.is_right] == []


@pytest.mark.long
def test_every_row(tmp_path: Path) -> None:
    count, found = wrong(tmp_path, "")
    assert count >= len(all_rows())
    assert found == []


def test_rows_are_named_once_and_name_stages() -> None:
    rows = all_rows()
    assert len({label(row) for row in rows}) == len(rows) >= 60
    assert all(row.should <= set(STAGES) and row.why for row in rows)


def walk(tmp_path: Path, steps: int) -> Walk:
    walked = Walk(tmp_path, SEED)
    for _ in walked.steps(steps):
        pass  # it raises where a result is not this machine's
    return walked


def test_clones_that_share_restore_only_their_own_results(tmp_path: Path) -> None:
    assert walk(tmp_path, 12).counts["ran"] > 0


@pytest.mark.long
def test_clones_that_share_for_a_long_time(tmp_path: Path) -> None:
    counts = walk(tmp_path, 200).counts
    assert counts["ran"] > 20
    assert counts["restored"] > 20
