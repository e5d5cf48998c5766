"""The interpreters of this machine."""

import pytest

from tests.observer.observed import pythons


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "python" in metafunc.fixturenames:
        metafunc.parametrize("python", pythons() or [pytest.param("", marks=pytest.mark.skip)])
