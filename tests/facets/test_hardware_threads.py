"""Effective threads: what counts is how many a runtime starts, not who said so."""

from collections.abc import Mapping

import pytest

from envstage.facets import threads
from envstage.facets.contract import Request
from envstage.snapshot.model import Level, NotApplicable, Value
from tests.hosts import HOSTS, CapturedHost

REQUEST = Request(root="/project", level=Level.HARDWARE)
ZEN3 = "linux-zen3-smt"  # eight logical processors on four cores
SKYLAKE = "linux-skylake-avx512-cgroup1"  # 56 processors, a quota of 2.5
HASWELL = "linux-haswell-cgroup2"  # 24 processors, quotas of 8 and, above that, 3.5


def counts(name: str, environ: Mapping[str, str] | None = None) -> dict[str, Value]:
    collected = threads.collect(CapturedHost(HOSTS / name, environ=environ), REQUEST)
    return {address[-1]: value for address, value in collected.items()}


def test_unset_is_what_the_machine_has() -> None:
    assert counts(ZEN3) == {
        "default": 8,
        "omp": 8,
        "mkl": 4,  # a thread a core
        "openblas": 8,
        "numexpr": 8,
        "veclib": NotApplicable("Accelerate is part of macOS"),
    }


@pytest.mark.hard_case(18)
def test_a_variable_on_a_large_machine_equals_a_small_machine_without() -> None:
    large = counts(SKYLAKE, {"OMP_NUM_THREADS": "8", "MKL_NUM_THREADS": "4"})
    small = counts(ZEN3)
    assert {**large, "default": 8} == small
    assert counts(SKYLAKE)["omp"] == 56


@pytest.mark.parametrize(
    ("name", "expected"),
    [(ZEN3, 8), (SKYLAKE, 3), (HASWELL, 4), ("linux-neoverse-v1", 4), ("darwin-m3", 14)],
)
def test_default_is_the_smallest_quota_rounded_up(name: str, expected: int) -> None:
    assert counts(name)["default"] == expected


def test_a_quota_does_not_change_what_the_runtimes_start() -> None:
    assert counts(SKYLAKE)["omp"] == 56
    assert counts(HASWELL)["openblas"] == 24


@pytest.mark.parametrize("value", ["", "0", "-4", "many", "4x", "1e3", "99999999999999"])
def test_a_value_that_is_no_count_is_passed_over(value: str) -> None:
    names = ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
    assert counts(ZEN3, {f"{name}_NUM_THREADS": value for name in names}) == counts(ZEN3)


@pytest.mark.parametrize(
    ("environ", "runtime", "expected"),
    [
        ({"OMP_NUM_THREADS": "4,2"}, "omp", 4),  # the outermost of nested regions
        ({"OMP_NUM_THREADS": " 3 "}, "omp", 3),
        ({"OMP_NUM_THREADS": "16", "OMP_THREAD_LIMIT": "6"}, "omp", 6),
        ({"OMP_THREAD_LIMIT": "6"}, "omp", 6),
        ({"OMP_NUM_THREADS": "3"}, "mkl", 3),
        ({"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "2"}, "mkl", 2),
        ({"OMP_NUM_THREADS": "3"}, "openblas", 3),
        ({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "2"}, "openblas", 2),
        ({"OMP_NUM_THREADS": "3", "GOTO_NUM_THREADS": "2"}, "openblas", 2),
        ({"OPENBLAS_NUM_THREADS": "500"}, "openblas", 8),  # it starts no more than there are
        ({"OMP_NUM_THREADS": "3", "NUMEXPR_NUM_THREADS": "2"}, "numexpr", 2),
        ({"MKL_NUM_THREADS": "2"}, "omp", 8),
    ],
)
def test_who_listens_to_which_variable(
    environ: dict[str, str], runtime: str, expected: int
) -> None:
    assert counts(ZEN3, environ)[runtime] == expected


def test_accelerate() -> None:
    assert counts("darwin-m3")["veclib"] == 14
    assert counts("darwin-m3", {"VECLIB_MAXIMUM_THREADS": "2"})["veclib"] == 2
