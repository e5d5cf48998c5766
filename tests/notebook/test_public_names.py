"""`import envstage`: what it costs, what it brings along, how it reads."""

import json
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import envstage
from tests.notebook.scripts import ROOT, run_script

IMPORT_COST = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
import envstage
cost = time.perf_counter() - start
print(json.dumps([cost, sorted(set(sys.modules) - before)]))
"""
FRAMEWORKS = """
import sys
import envstage
for name in envstage.__all__:
    getattr(envstage, name)
envstage.capture_environment()
envstage.runtime_state()
envstage.set_random_seed(1)
heavy = "numpy torch tensorflow jax pandas sklearn wandb mlflow dvclive IPython".split()
print([name for name in heavy if name in sys.modules])
"""
USER = """
import envstage
from envstage import capture_environment, compare_environments, save_environment_snapshot
from envstage import restore_rng_state, runtime_state, save_rng_state, set_random_seed

seeded = set_random_seed(42, deterministic=True)
notes: tuple[str, ...] = seeded.notes
info = capture_environment()
requirements, environment, reproduce = save_environment_snapshot(info, "./environment")
diff = compare_environments(environment, environment)
for package, old, new in diff["changed"]:
    text: str = package + old + new
is_python: bool = diff["python_version_changed"]
captured = envstage.capture()
fingerprint: str = captured.fingerprint
if captured.diff("HEAD~1"):
    print(captured)
saved: tuple[str, ...] = save_rng_state("rng.json")
restore_rng_state("rng.json")
warnings: tuple[str, ...] = runtime_state().warnings
"""


def test_importing_costs_next_to_nothing(tmp_path: Path) -> None:
    runs = [json.loads(run_script(IMPORT_COST, tmp_path)) for _ in range(3)]
    assert min(cost for cost, _ in runs) < 0.005
    assert all(modules == ["envstage"] for _, modules in runs)


@pytest.mark.hard_case(17)
def test_no_framework_is_imported(tmp_path: Path) -> None:
    # threadpoolctl, which runtime_state asks, imports none either.
    assert run_script(FRAMEWORKS, tmp_path).strip() == "[]"


def test_every_public_name_is_there_and_documented() -> None:
    for name in envstage.__all__:
        found = getattr(envstage, name)
        assert len(found.__doc__ or "") > 60, name


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = envstage.nothing  # type: ignore[attr-defined]


def test_capture_can_be_called_whatever_was_imported_before(tmp_path: Path) -> None:
    # Importing a module below it makes Python bind `envstage.capture` to the package.
    for first in ("", "import envstage.capture.collect", "from envstage import refs"):
        text = f"{first}\nimport envstage\nprint(envstage.capture().fingerprint[:2])"
        assert run_script(text, tmp_path).strip() == "e-"


def test_help_is_readable() -> None:
    text = pydoc.plain(pydoc.render_doc(envstage))
    assert "what is in effect now: seeds, determinism, threads, TF32" in text
    assert re.search(r"set_random_seed\(\s*seed", text)
    assert "capture_environment() ->" in text
    assert "_MODULES" not in text


@pytest.mark.e2e
def test_a_users_script_passes_mypy_strict(tmp_path: Path) -> None:
    script = tmp_path / "user.py"
    script.write_text(USER)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (Path(envstage.__file__).parent / "py.typed").exists()
