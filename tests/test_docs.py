"""The generated parts of the documentation are what the code says."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_generated_documents_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_hard_case_is_shown_by_a_test() -> None:
    # The page is current (above): its links are the tests that carry the case's marker.
    page = (ROOT / "docs" / "hard-cases.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 45))
    for row in rows:
        files = re.findall(r"\]\(\.\./([^)]+)\)", row)
        assert files and all((ROOT / file).exists() for file in files), row
