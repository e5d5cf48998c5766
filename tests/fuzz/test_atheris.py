"""Every parser under atheris for a moment: that `make fuzz` works, and finds nothing at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import TARGETS
from tests.fuzz.targets import TARGETS as FUNCTIONS

pytest.importorskip("atheris", reason="atheris is not installed: `make fuzz` brings it")


def test_every_parser_is_fuzzed() -> None:
    assert {*TARGETS} == {*FUNCTIONS} - {"json_values"}


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found_in_ten_seconds(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--one", name, "10", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list(tmp_path.glob("crash-*"))
