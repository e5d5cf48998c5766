import json
from pathlib import Path
from typing import Any

import pytest

from envstage.facets import conda
from envstage.facets.catalogue import rule_of
from envstage.facets.conda import channel, conda_of
from envstage.facets.contract import Collected, Installed
from envstage.snapshot.model import Level, Unknown
from envstage.world import Machine
from tests.facets.requests import probe, request

NUMPY = {
    "name": "numpy",
    "version": "1.26.4",
    "build": "py311h64a7726_0",
    "channel": "https://conda.anaconda.org/t/ab-12345678-1234/conda-forge/linux-64",
    "url": "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda",
    "md5": "a502d7aad449a1206efb366d6a12c52d",
    "files": [
        "lib/python3.11/site-packages/numpy/__init__.py",
        "lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA",
        "lib/python3.11/site-packages/numpy-1.26.4.dist-info/RECORD",
    ],
    "depends": ["python >=3.11"],
}
ZLIB = {"name": "zlib", "version": "1.3.1", "build_string": "h4ab18f5_1", "md5": None}


def environment(folder: Path, *records: dict[str, Any]) -> Path:
    (folder / "conda-meta").mkdir(parents=True, exist_ok=True)
    (folder / "conda-meta" / "history").write_text("==> 2024 <==\n")
    for record in records:
        build = record.get("build") or record.get("build_string", "0")
        name = f"{record['name']}-{record['version']}-{build}.json"
        (folder / "conda-meta" / name).write_text(json.dumps(record))
    return folder


def collect(folder: Path, *installed: Installed) -> Collected:
    asked = request(probe=probe(prefix=str(folder), distributions=installed))
    return conda.collect(Machine(), asked)


def dist(folder: Path, name: str, version: str) -> Installed:
    site = f"{folder}/lib/python3.11/site-packages"
    return Installed(name=name, version=version, location=site, metadata_path=f"{site}/x")


def test_name_version_build_channel_and_digest(tmp_path: Path) -> None:
    collected = collect(environment(tmp_path, NUMPY, ZLIB))
    assert collected.facts == {
        ("conda", "numpy", "version"): "1.26.4",
        ("conda", "numpy", "build"): "py311h64a7726_0",
        ("conda", "numpy", "channel"): "https://conda.anaconda.org/conda-forge",
        ("conda", "numpy", "md5"): "a502d7aad449a1206efb366d6a12c52d",
        ("conda", "numpy", "archive"): "linux-64/numpy-1.26.4-py311h64a7726_0.conda",
        ("conda", "zlib", "version"): "1.3.1",
        ("conda", "zlib", "build"): "h4ab18f5_1",
    }
    assert collected.anomalies == ()


def test_distribution_belongs_to_the_package_that_brought_it_and_not_after_pip_replaced_it(
    tmp_path: Path,
) -> None:
    pytorch = NUMPY | {"name": "pytorch", "files": ["site-packages/torch-2.3.0.dist-info/RECORD"]}
    folder = environment(tmp_path, pytorch)
    for name, expected in (("torch-2.3.0", "pytorch"), ("torch-2.4.0", None)):
        installed = Installed(
            name="torch",
            version=name.partition("-")[2],
            location=f"{folder}/site-packages",
            metadata_path=f"{folder}/site-packages/{name}.dist-info",
        )
        assert collect(folder, installed).facts.get(("packages", "torch", "conda")) == expected


def test_levels_and_what_counts() -> None:
    def of(*address: str) -> tuple[Level | None, bool]:
        rule = rule_of(address)
        assert rule is not None
        return rule.level, rule.counts

    assert of("conda", "numpy", "version") == (Level.SOFTWARE, True)
    assert of("conda", "numpy", "build") == (Level.PLATFORM, True)
    assert of("conda", "numpy", "channel") == (Level.PLATFORM, False)
    assert of("conda", "numpy", "md5") == (Level.PLATFORM, False)
    assert of("conda", "pip", "version") == (Level.SOFTWARE, False)
    assert of("conda", "setuptools", "build") == (Level.PLATFORM, False)


def test_without_conda_there_is_nothing(tmp_path: Path) -> None:
    assert collect(tmp_path) == Collected(facts={})
    assert conda.collect(Machine(), request()) == Collected(facts={})
    (tmp_path / "conda-meta").write_text("a file")
    assert collect(tmp_path) == Collected(facts={})


@pytest.mark.parametrize(
    "content",
    [b"", b'{"name": "openss', b"[]", b'{"name": 1}', b"\xff\xfe", b'{"name": "openssl"}'],
)
def test_a_broken_record_is_unknown_under_its_files_name(tmp_path: Path, content: bytes) -> None:
    folder = environment(tmp_path, ZLIB)
    (folder / "conda-meta" / "openssl-3.3.2-hb9d3cd8_0.json").write_bytes(content)
    collected = collect(folder)
    why = "openssl-3.3.2-hb9d3cd8_0.json: not a record of conda's, or cut off"
    assert collected.facts["conda", "openssl", "version"] == Unknown(why)
    assert collected.facts["conda", "zlib", "version"] == "1.3.1"
    assert collected.anomalies == (f"conda: {why}",)
    assert set(conda_of(Machine(), str(folder))) == {"zlib"}


def test_a_hostile_record_is_refused(tmp_path: Path) -> None:
    folder = environment(tmp_path, ZLIB)
    hostile = {"name": "a\n--index-url x", "version": "1", "build": "0"}
    (folder / "conda-meta" / "a\x1b[31m.json").write_text(json.dumps(hostile))
    collected = collect(folder)
    assert ("conda", "unnamed", "version") in collected.facts
    assert all(text.isprintable() for text in collected.anomalies)
    assert len(collected.facts) == 3


def test_a_folder_that_cannot_be_read_is_unknown() -> None:
    class Denied(Machine):
        def list_dir(self, path: str) -> tuple[str, ...]:
            raise PermissionError(13, "Permission denied", path)

    collected = conda.collect(Denied(), request(probe=probe()))
    assert collected.facts == {("conda",): Unknown("cannot read conda-meta: permission denied")}
    assert rule_of(("conda",)) is not None


@pytest.mark.hard_case(11)
def test_pip_over_conda_is_told(tmp_path: Path) -> None:
    folder = environment(tmp_path, NUMPY)
    assert collect(folder, dist(tmp_path, "NumPy", "2.0.1")).anomalies == (
        "conda: numpy 2.0.1 imports, but conda's numpy installed 1.26.4: pip over conda",
    )
    assert collect(folder, dist(tmp_path, "numpy", "1.26.4")).anomalies == ()
    assert collect(folder, dist(tmp_path, "numpy", "1.26.4.0")).anomalies == ()
    assert collect(folder, dist(Path("/elsewhere"), "numpy", "2.0.1")).anomalies == ()


def test_an_installed_name_that_differs_from_condas(tmp_path: Path) -> None:
    record = {"name": "pytorch", "version": "2.4.0", "build": "py311_0"} | {
        "files": ["Lib\\site-packages\\torch-2.4.0-py3.11.egg-info\\PKG-INFO"]
    }
    folder = environment(tmp_path, record)
    assert conda_of(Machine(), str(folder))["pytorch"].metadata == ("torch-2.4.0-py3.11.egg-info",)
    assert collect(folder, dist(tmp_path, "torch", "2.5.0")).anomalies == (
        "conda: torch 2.5.0 imports, but conda's pytorch installed 2.4.0: pip over conda",
    )
    assert collect(folder, dist(tmp_path, "torch", "2.4.0")).anomalies == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conda-forge", "conda-forge"),
        ("https://repo.anaconda.com/pkgs/main/linux-64", "https://repo.anaconda.com/pkgs/main"),
        ("https://conda.anaconda.org/bioconda/noarch", "https://conda.anaconda.org/bioconda"),
        ("https://bob:pw@h.org/t/tok-1/c/osx-arm64?x=1", "https://h.org/c"),
        (
            "https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-h4ab18f5_1.conda",
            "https://conda.anaconda.org/conda-forge",
        ),
        ("file:///home/anna/conda-bld/linux-64", "local"),
        ("/home/anna/conda-bld", "local"),
        ("C:\\Users\\anna\\conda-bld", "local"),
        ("", ""),
    ],
)
def test_channels(text: str, expected: str) -> None:
    assert channel(text) == expected
