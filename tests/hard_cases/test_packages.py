"""Hard cases of installed packages, from a real environment to the files that a capture writes."""

import json
import sys
from pathlib import Path

import pytest

from tests.repository import SNAPSHOT, VIEW, Repository, place
from tests.wheels import Venv, build_wheel, interpreter

pytestmark = pytest.mark.e2e


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.at(tmp_path)


@pytest.mark.hard_case(4)
def test_a_package_of_condas_is_named_by_conda_and_not_by_its_build_folder(
    repository: Repository,
) -> None:
    repository.install("numpy", "1.26.4")
    url = "file:///home/conda/feedstock_root/build_artifacts/numpy_1707/work/conda-bld/numpy-1.26.4"
    info = repository.venv.site / "numpy-1.26.4.dist-info"
    place(info, "direct_url.json", json.dumps({"url": url, "dir_info": {}}))
    record = {
        "name": "numpy",
        "version": "1.26.4",
        "build": "py311h64a7726_0",
        "channel": "https://conda.anaconda.org/conda-forge/linux-64",
        "url": "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda",
        "md5": "a502d7aad449a1206efb366d6a12c52d",
        "files": [f"lib/python3.11/site-packages/{info.name}/METADATA"],
    }
    name = "conda-meta/numpy-1.26.4-py311h64a7726_0.json"
    place(repository.venv.folder, name, json.dumps(record))
    repository.capture()
    conda = repository.facts()["conda"]["numpy"]
    assert (conda["version"], conda["build"]) == ("1.26.4", "py311h64a7726_0")
    assert conda["channel"] == "https://conda.anaconda.org/conda-forge"
    assert conda["md5"] == record["md5"]
    assert repository.facts()["packages"]["numpy"]["conda"] == "numpy"
    written = b"".join(repository.outputs().values()) + repository.context_bytes()
    for part in (b"conda-bld", b"feedstock_root", b"/home/conda"):
        assert part not in written


@pytest.mark.hard_case(6)
def test_broken_metadata_beside_a_good_package(repository: Repository) -> None:
    repository.install("alpha", "1.0")
    site = repository.venv.site
    place(site, "nameless-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nVersion: 1.0\n")
    about = "Metadata-Version: 2.1\nName: bad\nVersion: not!a!version\n"
    place(site, "bad-1.0.dist-info/METADATA", about)
    said = repository.capture()
    assert "nameless-1.0.dist-info names no distribution in its METADATA" in said
    assert "bad-1.0.dist-info has the invalid version not!a!version" in said
    assert repository.versions()["alpha"] == "1.0"
    anomalies = "\n".join(json.loads(repository.read(SNAPSHOT))["anomalies"])
    assert "not!a!version" in anomalies
    assert "bad==" not in repository.read("environment/requirements.txt")


@pytest.mark.hard_case(7)
def test_local_versions_are_whole_and_come_from_their_own_index(repository: Repository) -> None:
    outputs = {}
    for build in ("cu128", "cpu"):
        repository.install("torch", f"2.7.1+{build}")
        repository.capture()
        assert repository.versions(VIEW) == {"torch": f"2.7.1+{build}"}
        requirements = repository.read("environment/requirements.txt")
        assert f"torch==2.7.1+{build}" in requirements
        assert f"--extra-index-url https://download.pytorch.org/whl/{build}\n" in requirements
        outputs[build] = repository.read(VIEW)
    assert outputs["cu128"] != outputs["cpu"]


@pytest.mark.hard_case(8)
def test_what_an_extra_brought_is_pinned_and_what_a_marker_kept_away_is_not(
    repository: Repository,
) -> None:
    requires = ["fast>=1; extra == 'speed'", "elsewhere; sys_platform == 'plan9'", "base"]
    repository.install("lib", "1.0", requires=requires)
    repository.install("fast", "1.5")
    repository.install("base", "0.3")
    repository.capture()
    lines = repository.read("environment/requirements.txt").splitlines()
    pins = {line for line in lines if line and not line.startswith(("#", "-"))}
    assert pins == {"base==0.3", "fast==1.5", "lib==1.0"}


@pytest.mark.hard_case(12)
def test_the_spelling_of_a_name_is_not_part_of_the_identity(repository: Repository) -> None:
    files = {"foo/__init__.py": "value = 1\n"}
    seen = []
    for name in ("Foo_Bar.baz", "foo-bar-baz", "FOO.BAR_BAZ"):
        for folder in repository.wheelhouse.iterdir():
            folder.unlink()
        repository.venv.install(build_wheel(repository.wheelhouse, name, "1.0", files=files))
        repository.capture()
        seen.append((repository.read(VIEW), repository.read(SNAPSHOT)))
    assert repository.versions() == {"foo-bar-baz": "1.0"}
    assert len(set(seen)) == 1


@pytest.mark.hard_case(13)
def test_another_environment_that_is_active_is_named_beside_the_stages(
    repository: Repository, tmp_path: Path
) -> None:
    repository.install("alpha", "1.0")
    other = Venv(tmp_path / "active")
    other.install(build_wheel(repository.wheelhouse, "beta", "1.0"))
    said = repository.capture(VIRTUAL_ENV=str(other.folder))
    assert repository.versions() == {"alpha": "1.0"}
    assert f"the environment described is {repository.venv.folder}" in said
    assert f"the active one is {other.folder}" in said
    # The note belongs to this capture, not to the environment.
    before = repository.outputs()
    assert "the active one" not in repository.capture(VIRTUAL_ENV=str(repository.venv.folder))
    assert repository.outputs() == before


@pytest.mark.hard_case(13)
def test_what_shadows_a_package_on_pythonpath_is_what_the_stage_gets(
    repository: Repository, tmp_path: Path
) -> None:
    repository.install("alpha", "1.0")
    other = Venv(tmp_path / "other")
    other.install(build_wheel(repository.wheelhouse, "alpha", "9.0"))
    repository.capture(PYTHONPATH=str(other.site))
    assert repository.versions(VIEW) == {"alpha": "9.0"}


@pytest.mark.hard_case(17)
def test_no_framework_is_imported_to_capture(repository: Repository) -> None:
    # Importing one would start CUDA before the training code forks.
    marker = repository.base / "imported"
    for name in ("torch", "tensorflow", "jax", "numpy", "cupy"):
        text = f"open({str(marker)!r}, 'a').write({name!r})\n"
        repository.install(name, "2.0", files={f"{name}/__init__.py": text})
    repository.write(
        "envstage.yaml",
        "environments: {main: {level: hardware}}\nverify: true\nviews: {train: {}}\n",
    )
    repository.capture()
    repository.run("envstage", "check")
    repository.run("envstage", "export", "requirements")
    assert set(repository.versions()) == {"torch", "tensorflow", "jax", "numpy", "cupy"}
    assert not marker.exists()
    done = repository.run("python", "-c", "import torch")
    assert done == "" and marker.read_text() == "torch"  # the trap works


@pytest.mark.hard_case(38)
@pytest.mark.parametrize("base", ["the tests' own", "the system's"])
def test_system_site_packages_are_all_there(tmp_path: Path, base: str) -> None:
    python = sys.executable if base == "the tests' own" else interpreter_with_packages()
    venv = Venv(tmp_path / "inner", python=python, options="--system-site-packages")
    repository = Repository.at(tmp_path, venv=venv)
    repository.install("alpha", "1.0")
    # What the stage's Python says of itself.
    code = (
        "import importlib.metadata as m, json, re;"
        "key = lambda name: re.sub('[-_.]+', '-', name).lower();"
        "print(json.dumps({key(d.metadata['Name']): d.version for d in m.distributions()}))"
    )
    expected = json.loads(repository.run("python", "-I", "-c", code))
    repository.capture()
    assert set(repository.versions()) == set(expected)
    assert repository.versions()["alpha"] == "1.0"
    assert len(expected) > 1


def interpreter_with_packages() -> str:
    python = interpreter("3") or "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("there is no other Python here")
    return python
