"""Each document is taken by the tool that it is for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from envstage.errors import EnvstageError
from envstage.export import conda_explicit
from envstage.export.formats import format_of
from envstage.snapshot.model import Snapshot
from tests.export.samples import ARTIFACTS, CONDA, EMPTY, GPU, IMAGE, ORDINARY, hostile
from tests.wheels import UV

SAMPLES = {
    "ordinary": ORDINARY,
    "gpu": GPU,
    "image": IMAGE,
    "conda": CONDA,
    "empty": EMPTY,
    "hostile": hostile(),
}
every = pytest.mark.parametrize("snapshot", SAMPLES.values(), ids=SAMPLES.keys())
ENVIRONMENT_YML = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "channels", "dependencies"],
    "properties": {
        "name": {"type": "string"},
        "channels": {"type": "array", "items": {"type": "string"}},
        "dependencies": {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"pip": {"type": "array", "items": {"type": "string"}}},
                    },
                ]
            },
        },
    },
}
VERSIONS_YML = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "string"}},
}


def text_of(form: str, snapshot: Snapshot) -> str:
    return format_of(form).render(snapshot, ARTIFACTS if form == "pylock" else None)


@every
def test_each_line_of_requirements_is_a_requirement_an_index_or_a_comment(
    snapshot: Snapshot,
) -> None:
    for line in text_of("requirements", snapshot).splitlines():
        if line.startswith(("#", "--extra-index-url https://download.pytorch.org/whl/")):
            continue
        assert Requirement(line)


@pytest.fixture(scope="session")
def packaging_26(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the `packaging` that knows PEP 751: Snakemake wants an older one beside it."""
    folder = tmp_path_factory.mktemp("packaging")
    command = (UV, "pip", "install", "-q", "--target", str(folder), "packaging>=26.0")
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.e2e
@every
def test_pylock_is_valid(snapshot: Snapshot, packaging_26: Path) -> None:
    document = tomllib.loads(text_of("pylock", snapshot))
    code = (
        f"import datetime, sys; sys.path.insert(0, {str(packaging_26)!r})\n"
        "from packaging.pylock import Pylock\n"
        f"Pylock.from_dict({document!r}).validate()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@every
def test_environment_yml_is_one(snapshot: Snapshot) -> None:
    document = yaml.safe_load(text_of("conda", snapshot))
    jsonschema.validate(document, ENVIRONMENT_YML)
    lists = [each["pip"] for each in document["dependencies"] if isinstance(each, dict)]
    for line in (line for each in lists for line in each):
        assert line.startswith("--extra-index-url https://") or Requirement(line)


@every
def test_versions_are_text_by_name(snapshot: Snapshot) -> None:
    jsonschema.validate(yaml.safe_load(text_of("mqc-versions", snapshot)), VERSIONS_YML)


@every
def test_cyclonedx_is_valid_by_its_schema(snapshot: Snapshot) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    text = text_of("cyclonedx", snapshot)
    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert "timestamp" not in json.loads(text).get("metadata", {})


@every
def test_dockerfile_is_taken_by_its_linter(snapshot: Snapshot) -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    text = text_of("dockerfile", snapshot)
    argv = [hadolint, "--no-color", "--failure-threshold", "warning", "-"]
    done = subprocess.run(argv, input=text, text=True, capture_output=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_explicit_list_of_an_environment_that_is_not_condas_is_refused() -> None:
    with pytest.raises(EnvstageError, match="conda did not make this environment"):
        conda_explicit.render(ORDINARY)
