"""Names and versions are `importlib.metadata`'s, in every environment of every interpreter."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from envstage.facets.contract import ProbeAnswer
from envstage.interpreter import PROBE, finish_probe, start_probe
from envstage.world import Machine
from tests.probe.environments import ENVIRONMENTS, Made, Maker, by_pth_files, by_uv
from tests.wheels import interpreter

VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
SOURCES = Path(PROBE).parent
OBSERVER = SOURCES.parent / "observer"
# What `importlib.metadata.version` answers for each name: the first on the path.
ASK = """\
import importlib.metadata as m, json, re, sys
del sys.path[0]
names = {d.metadata["Name"] for d in m.distributions()}
key = lambda name: re.sub("[-_.]+", "-", name).lower()
print(json.dumps({key(name): m.version(name) for name in names}))
"""


def probe(made: Made) -> ProbeAnswer:
    world = Machine(dict(os.environ) | made.environ)
    return finish_probe(start_probe(world, made.python, "/", ""), 60)


def by_importlib(made: Made) -> dict[str, str]:
    done = subprocess.run(
        [made.python, "-c", ASK],
        capture_output=True,
        text=True,
        env={**os.environ, **made.environ},
        cwd="/",
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def assert_parity(made: Made) -> None:
    expected = by_importlib(made)
    answer = probe(made)
    assert {each.name: each.version for each in answer.distributions} == expected
    assert set(made.names) <= set(expected)
    # Each from where it lies: the metadata is there, below the folder that was on the path.
    for each in answer.distributions:
        assert each.location in answer.path
        assert Path(each.metadata_path).exists()


@pytest.mark.e2e
@pytest.mark.hard_case(24, 38)
@pytest.mark.parametrize("make", ENVIRONMENTS, ids=lambda make: str(make.__name__))
def test_every_kind_of_environment(tmp_path: Path, make: Maker) -> None:
    assert_parity(make(tmp_path, sys.executable))


@pytest.mark.e2e
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", [by_uv, by_pth_files], ids=lambda make: str(make.__name__))
def test_every_interpreter(tmp_path: Path, make: Maker, version: str) -> None:
    made = make(tmp_path, python_of(version))
    assert_parity(made)
    assert probe(made).version.startswith(f"{version}.")


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", ENVIRONMENTS, ids=lambda make: str(make.__name__))
def test_every_kind_of_environment_of_every_interpreter(
    tmp_path: Path, make: Maker, version: str
) -> None:
    assert_parity(make(tmp_path, python_of(version)))


def python_of(version: str) -> str:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    return python


def sources() -> list[Path]:
    """What runs under the stage's interpreter: the probe, and the observer's hook."""
    files = [*SOURCES.glob("*.py"), *OBSERVER.rglob("*.py")]
    return [path for path in files if "import msgspec" not in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("minor", range(8, 15))
def test_syntax_of_every_python(minor: int) -> None:
    assert len(sources()) > 12
    for path in sources():
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, minor))


def test_nothing_that_python_3_8_lacks() -> None:
    vermin = shutil.which("vermin", path=str(Path(sys.executable).parent))
    if vermin is None:
        pytest.skip("vermin is not installed")
    # `--violations`: only what is newer. Annotations are never evaluated.
    command = [vermin, "--target=3.8-", "--no-tips", "--violations", *map(str, sources())]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


ANSWERS = sorted((Path(__file__).parents[1] / "data" / "probe").glob("*.json"))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: str(path.stem))
def test_captured_answers_are_understood(path: Path) -> None:
    answer = msgspec.json.decode(path.read_bytes(), type=ProbeAnswer)
    assert path.stem == f"{answer.implementation}-{'.'.join(answer.version.split('.')[:2])}"
    assert {each.name: each.version for each in answer.distributions} == {
        "foo-bar-baz": "2.0rc1",
        "plain": "1.0",
    }
