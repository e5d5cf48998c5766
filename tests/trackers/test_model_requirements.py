"""A model's requirements against an environment's packages."""

import pytest

from envstage.trackers.interface import key_versions
from envstage.trackers.model_requirements import disagreements
from envstage.trackers.wandb import artifact_name

PACKAGES = {"numpy": "1.26.4", "PyYAML": "6.0", "odd": "not a version"}


@pytest.mark.parametrize(
    "line",
    [
        "numpy==1.26.4",
        "pyyaml == 6.0  # comment",
        "# numpy==9",
        "--extra-index-url https://example.org",
        "",
        "x @ https://example.org/x.whl",
        'numpy==9; python_version < "3"',
    ],
)
def test_what_agrees_or_says_nothing(line: str) -> None:
    assert disagreements(line, PACKAGES) == ()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("numpy==1.26.3", "the environment has 1.26.4"),
        ("numpy>=1.20", "the version is left open; the environment has 1.26.4"),
        ("numpy", "the version is left open; the environment has 1.26.4"),
        ("missing==1", "the environment does not have it"),
        ("odd==1", "the environment has not a version"),
    ],
)
def test_what_disagrees(line: str, why: str) -> None:
    (found,) = disagreements(f"pyyaml==6.0\n{line}\n", PACKAGES)
    assert found.why == why


def test_names_of_artifacts() -> None:
    assert artifact_name("a run/№ 1") == "a-run-1-environment"
    assert len(artifact_name("x" * 500)) <= 128


def test_key_versions_of_a_dict_made_by_hand() -> None:
    info = {"python_version_short": "3.11.4", "torch_version": None, "gpu_name": "Tesla T4"}
    assert key_versions(info) == {"python": "3.11.4", "gpu": "Tesla T4"}
