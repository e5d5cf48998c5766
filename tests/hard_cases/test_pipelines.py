"""Hard cases that take a pipeline: what a run looked for, and installs of another clone."""

from pathlib import Path

import pytest

from tests.e2e.pipeline import Pipeline
from tests.repository import SNAPSHOT, place
from tests.sources import source_project

pytestmark = pytest.mark.e2e

PROBES = """\
import pathlib
import alpha
try:
    import trap.absent
    how = "with it"
except ImportError:
    how = "alone"
pathlib.Path("model.txt").write_text(f"{alpha.version} {how}")
"""


@pytest.mark.hard_case(32, 34)
@pytest.mark.parametrize("way", ["PYTHONPATH", "a .pth file"])
def test_a_name_looked_for_inside_a_package_that_nobody_installed(tmp_path: Path, way: str) -> None:
    # `importlib.util.find_spec("trap.absent")` would import `trap`: envstage never asks for it.
    pipeline = Pipeline(tmp_path).create(**{"train.py": PROBES})
    pipeline.install("alpha", "1.0")
    marker = tmp_path / "imported"
    loose = place(tmp_path / "loose", "trap/__init__.py", f"open({str(marker)!r}, 'a').write('x')")
    if way == "PYTHONPATH":
        pipeline.environ["PYTHONPATH"] = str(loose.parents[1])
    else:
        place(pipeline.venv.site, "more.pth", f"{loose.parents[1]}\n")
    pipeline.track("train")
    assert not marker.exists()
    pipeline.repro()
    assert marker.read_text() == "x"  # the trap works
    assert pipeline.read("model.txt") == "1.0 alone"
    marker.unlink()
    assert pipeline.ran(pipeline.repro()) == {"environment"}
    pipeline.run("envstage", "check")
    assert not marker.exists()
    # It appears: the stage's result would be another one.
    place(loose.parent, "absent.py", "")
    pipeline.run("envstage", "capture")
    assert not marker.exists()
    assert pipeline.ran(pipeline.repro()) == {"environment", "train"}
    assert pipeline.read("model.txt") == "1.0 with it"


@pytest.mark.hard_case(42)
def test_the_project_installed_from_its_first_clone_is_its_own_code_in_all(
    tmp_path: Path,
) -> None:
    pipeline = Pipeline(tmp_path).create()
    pipeline.install("alpha", "1.0")
    source_project(tmp_path / "made", "mine", "1.0")
    for path in (tmp_path / "made").iterdir():
        path.rename(pipeline.root / path.name)
    pipeline.commit("the project is a package")
    pipeline.venv.install_direct("-e", pipeline.root)
    pipeline.track("train", options="--no-guard")
    pipeline.repro()
    pipeline.repro()
    pipeline.commit("first run")
    assert '"mine"' in pipeline.read(SNAPSHOT)
    before = pipeline.files()

    other = pipeline.clone("second")
    assert "unchanged" in other.run("envstage", "capture")
    assert other.files() == before

    output = pipeline.run("dvc", "exp", "run", "--temp", "-n", "copy")
    assert "Stage 'train' didn't change, skipping" in output
    pipeline.run("dvc", "exp", "apply", "copy")
    assert pipeline.files() == before
