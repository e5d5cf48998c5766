"""An environment of conda's: its own list, then pip's part, then the comparison."""

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from envstage.recreate import conda
from envstage.recreate.conda import CondaPart, conda_part
from envstage.snapshot.model import Address, Value
from envstage.world import Machine
from tests.export.samples import CONDA
from tests.recreate.condas import Channel
from tests.recreate.projects import Project, committed
from tests.wheels import Venv, build_wheel


@pytest.fixture
def channel(
    project: Project, tmp_path: Path, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> Channel:
    """The project's environment is conda's: Python, a library, a package; one more by pip."""
    made = Channel(tmp_path)
    made.add("python", "3.11.0", {})
    made.add("zlib", "1.3.1", {"lib/libz.so": b"\x7fELF"})
    made.add_python_package(tmp_path, "by-conda", "1.0")
    shutil.rmtree(project.root / ".venv")
    made.install(project.root / ".venv")
    Venv.at(project.root / ".venv").install(build_wheel(wheelhouse, "by-pip", "1.0"))
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.mark.e2e
def test_condas_part_and_pips_part_come_back(
    project: Project, channel: Channel, wheelhouse: Path, tmp_path: Path
) -> None:
    packages = project.capture()
    assert packages["by-conda"]["conda"] == "by-conda"
    assert "conda" not in packages["by-pip"]
    target = tmp_path / "again"
    words = ("recreate", "--find-links", str(wheelhouse), "--to", str(target))
    code, out, err = project.run(*words)
    assert code == 0, out + err
    assert "2 of 2 packages as they were" in out
    assert f"micromamba activate {target}" in out
    listed = str(target / conda.LIST)
    assert channel.calls == [["install", "--yes", "--prefix", str(target), "--file", listed]]
    assert (target / "lib" / "libz.so").exists()
    assert not os.path.exists(listed)


@pytest.mark.e2e
def test_proof_of_an_environment_of_condas(
    project: Project, channel: Channel, wheelhouse: Path
) -> None:
    project.capture()
    committed(project.root)
    words = ("recreate", "--prove", "--offline", "--find-links", str(wheelhouse))
    code, out, err = project.run(*words)
    assert code == 0, out + err
    assert "| train | yes |" in out
    assert "--offline" in channel.calls[0]


@pytest.mark.e2e
def test_archive_that_has_gone_is_named_and_nothing_is_left(
    project: Project, channel: Channel, wheelhouse: Path
) -> None:
    project.capture()
    archive = channel.folder / "zlib-1.3.1-0.tar.bz2"
    content = archive.read_bytes()
    archive.write_bytes(content + b"\0")
    code, _, err = project.run("recreate", "--find-links", str(wheelhouse))
    assert code == 3
    assert "zlib-1.3.1-0.tar.bz2: could not be installed" in err
    assert "Invalid checksum" in err
    archive.unlink()
    code, _, err = project.run("recreate", "--find-links", str(wheelhouse))
    assert code == 3
    assert "zlib-1.3.1-0.tar.bz2: no index that is known here serves this version" in err
    assert project.built == []


def test_the_words_that_conda_is_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conda, "find_conda", lambda world: "/opt/conda")
    part = conda_part(Machine({}), CONDA)
    assert part is not None
    assert [pin.name for pin in part.pins] == ["pytorch", "zlib"]  # not the machine's own
    words = ["/opt/conda", "install", "--yes", "--prefix", "/env"]
    assert part.command("/env") == [*words, "--file", f"/env/{conda.LIST}"]
    assert part.text.splitlines()[-2:] == [
        "https://conda.anaconda.org/pytorch/linux-64/pytorch-2.3.0-py3.11_cuda12.1_0.tar.bz2#"
        + "a" * 32,
        "https://conda.anaconda.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda#" + "b" * 32,
    ]
    evil: dict[Address, Value] = {("conda", "--file", "version"): "1"}
    evil |= {("conda", "x", "version"): "1", ("conda", "x", "channel"): "-pwned"}
    hostile = conda_part(Machine({}), msgspec.structs.replace(CONDA, facts=evil))
    assert hostile is not None
    assert hostile.command("/env")[5:] == ["--override-channels", "--no-deps", "x=1"]
    without_archives = CondaPart(program="/opt/conda", pins=part.pins)
    assert without_archives.command("/env", is_offline=True) == [
        *(*words, "--offline", "--channel", "https://conda.anaconda.org/pytorch"),
        *("--channel", "conda-forge", "--override-channels", "--no-deps"),
        *("pytorch=2.3.0=py3.11_cuda12.1_cudnn8.9.2_0", "zlib=1.3.1=hb9d3cd8_2"),
    ]
