"""Each test begins as a process does: nothing seeded, and leaves the generators as they were."""

import os
import random
from collections.abc import Iterator

import pytest

from envstage.seeds.record import forget


@pytest.fixture(autouse=True)
def _as_at_the_start() -> Iterator[None]:
    forget()
    random.seed(0)
    before = os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    yield
    forget()
    if before is not None:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = before
