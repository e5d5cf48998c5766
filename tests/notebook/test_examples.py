"""`examples/notebook` runs from end to end."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
EXAMPLE = Path(__file__).parents[2] / "examples/notebook"


def test_the_notebook(tmp_path: Path) -> None:
    for name in ("nbconvert", "ipykernel"):
        pytest.importorskip(name, reason=f"{name} is not installed", exc_type=ImportError)
    kernel = tmp_path / "share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": words, "display_name": "Python 3", "language": "python"})
    )
    shutil.copy(EXAMPLE / "environment.ipynb", tmp_path)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute"),
            *("environment.ipynb", "--output", "executed.ipynb"),
        ],
        cwd=tmp_path,
        env={**os.environ, "JUPYTER_PATH": str(tmp_path / "share/jupyter")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((tmp_path / "executed.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    pages = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    assert any("<strong>Environment</strong>" in page for page in pages)
    assert any("No difference: runs/1/environment" in page for page in pages), pages
    assert sorted(path.name for path in (tmp_path / "runs/1/environment").iterdir()) == [
        "REPRODUCE.md",
        "environment.json",
        "requirements.txt",
    ]


def test_the_committed_notebook_has_no_outputs() -> None:
    cells = json.loads((EXAMPLE / "environment.ipynb").read_text())["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
