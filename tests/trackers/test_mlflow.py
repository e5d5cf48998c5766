"""MLflow with a store in a local SQLite file: recorded, found, downloaded, traced."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebook.scripts import run_script

pytestmark = pytest.mark.e2e
SCRIPT = """
import json, sys
import mlflow
import envstage
from envstage import capture_environment, log_environment_to_mlflow, save_environment_snapshot
from envstage.trackers.mlflow import compare_model_requirements, tag_model_version

info = capture_environment()
paths = save_environment_snapshot(info, "environment")
try:
    log_environment_to_mlflow(*paths, info)
except RuntimeError as error:
    result = {"without a run": str(error)}
with open("model.py", "w") as file:
    file.write('''
import mlflow

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return model_input

mlflow.models.set_model(Echo())
''')
with mlflow.start_run() as run:
    run_id = log_environment_to_mlflow(*paths, info)
    resumed = info | {"numpy_version": "0.1"}
    log_environment_to_mlflow(*paths, resumed)  # params are final: the first ones stay
    pins = [f"numpy=={info['numpy_version']}", "msgspec==0.1", "no-such-package==1"]
    mlflow.pyfunc.log_model(
        name="model", python_model="model.py", pip_requirements=pins, registered_model_name="echo"
    )
tagged = tag_model_version("echo", 1)
wanted = (
    f"params.env_numpy = '{info['numpy_version']}' and "
    f"tags.environment_fingerprint = '{tagged}'"
)
client = mlflow.MlflowClient()
downloaded = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/environment", dst_path="down")
disagreements = compare_model_requirements("models:/echo/1", info)
result |= {
    "run": run_id,
    "tagged": tagged,
    "fingerprint": envstage.capture().fingerprint,
    "runs found": len(mlflow.search_runs(
        search_all_experiments=True, filter_string=wanted, output_format="list")),
    "models found": len(client.search_model_versions(f"tags.environment_fingerprint = '{tagged}'")),
    "params": client.get_run(run_id).data.params,
    "disagreements": [(each.package, each.why) for each in disagreements],
}
json.dump(result, open("result.json", "w"))
"""


def envstage(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "envstage", *words],
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_from_a_run_and_a_registered_model_to_the_snapshot(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed", exc_type=ImportError)
    (tmp_path / "envstage.yaml").write_text(
        f"environments:\n  main: {{python: {sys.executable}, level: platform}}\n"
    )
    run_script(SCRIPT, tmp_path, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    result = json.loads((tmp_path / "result.json").read_text())
    info = json.loads((tmp_path / "environment/environment.json").read_text())

    assert result["without a run"].startswith("No active MLflow run.")
    assert result["tagged"] == result["fingerprint"]
    assert (result["runs found"], result["models found"]) == (1, 1)
    assert result["params"]["env_numpy"] == info["numpy_version"]
    assert result["params"]["env_python"] == info["python_version_short"]
    assert result["disagreements"] == [
        ["msgspec", f"the environment has {info['packages']['msgspec']}"],
        ["no-such-package", "the environment does not have it"],
    ]
    for name in ("requirements.txt", "environment.json", "REPRODUCE.md"):
        downloaded = tmp_path / "down/environment" / name
        assert downloaded.read_bytes() == (tmp_path / "environment" / name).read_bytes()

    for ref in (f"mlflow:{result['run']}", "mlflow:models:/echo/1"):
        done = envstage(tmp_path, "diff", ref)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("No difference: mlflow:")
    done = envstage(tmp_path, "diff", "mlflow:0123456789abcdef0123456789abcdef")
    assert done.returncode == 2
    assert "Run with id=0123456789abcdef0123456789abcdef not found" in done.stderr
    assert "Traceback" not in done.stderr
