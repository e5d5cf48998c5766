"""Scripts in the styles that people use: the view selects what `sys.modules` tells, or is wide.

The table of all of them is `docs/observed.md`; a light part runs here, in an environment that is
made once and kept in `.cache` (packages come from the registry).
"""

import fcntl
from pathlib import Path

import pytest

from benchmarks.observing.cases import Case, cases
from benchmarks.observing.environment import LIGHT, REQUIREMENTS, TORCH, Environment
from benchmarks.observing.run_case import Bench
from benchmarks.observing.verdict import Verdict

pytestmark = pytest.mark.e2e

CACHE = Path(__file__).parent.parent.parent / ".cache"
LIGHT_CASES = tuple(
    """
    editable_finder editable_outside exec_python jinja2_template joblib_loky loose_module
    multiprocessing_fork multiprocessing_spawn namespace_packages packages_of_modules
    pandas_excel_missing plugin_entry_points plugin_pluggy pydantic_model removed_modules
    subprocess_isolated typer_console_script version_of_packages
    """.split()
)
ALL = {case.name: case for case in cases()}


def made(folder: Path, requirements: tuple[str, ...], torch: str = "") -> Environment:
    """The environment; one worker makes it, the others wait."""
    CACHE.mkdir(exist_ok=True)
    environment = Environment(CACHE / folder, requirements, torch)
    with (CACHE / f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environment.make()
    return environment


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(made(Path("observed-light"), LIGHT), tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(made(Path("observed"), REQUIREMENTS, TORCH), tmp_path_factory.mktemp("whole"))


def require_right(bench: Bench, case: Case) -> None:
    row = bench.judged(case)
    right = (Verdict.WIDE,) if case.is_wide_by_nature else (Verdict.EQUAL, Verdict.BROADER)
    assert row.verdict in right, f"{row.verdict.value}: {row.why}"
    if row.verdict is Verdict.BROADER:
        assert row.why


@pytest.mark.parametrize("name", LIGHT_CASES)
def test_light_scripts(light: Bench, name: str) -> None:
    require_right(light, ALL[name])


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(ALL))
def test_every_script(whole: Bench, name: str) -> None:
    require_right(whole, ALL[name])


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 40
    assert set(LIGHT_CASES) <= set(ALL)
