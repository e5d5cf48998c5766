"""The probe under real interpreters and real (and broken) environments."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from envstage.facets.contract import ProbeAnswer
from envstage.interpreter import PROBE, ProbeError, finish_probe, start_probe
from envstage.probe.distributions import normalized
from envstage.world import Machine
from tests.wheels import Venv, build_wheel, interpreter


def probe(
    python: Path | str, cache: str = "", timeout_s: float = 30, **environ: str
) -> ProbeAnswer:
    world = Machine(dict(os.environ) | environ)
    return finish_probe(start_probe(world, str(python), "/", cache), timeout_s)


def versions(answer: ProbeAnswer) -> dict[str, str | None]:
    return {each.name: each.version for each in answer.distributions}


def builds(answer: ProbeAnswer) -> dict[str, str | None]:
    return {each.name: each.build for each in answer.distributions}


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    return Venv(tmp_path / "venv")


def test_same_set_and_versions_as_importlib_metadata() -> None:
    code = (
        "import importlib.metadata as m, json, sys; del sys.path[0];"
        "print(json.dumps([[d.metadata['Name'], d.version] for d in m.distributions()]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    expected: dict[str, str] = {}
    for name, version in json.loads(done.stdout):
        expected.setdefault(normalized(name), version)
    assert versions(probe(sys.executable)) == expected
    assert len(expected) > 10


def test_interpreter_is_described() -> None:
    answer = probe(sys.executable)
    assert answer.version.startswith(".".join(map(str, sys.version_info[:3])))
    assert answer.implementation == sys.implementation.name
    assert answer.prefix == sys.prefix
    assert re.match(r"cpython-3\d+|cp3\d+", answer.abi)
    assert not answer.is_debug


@pytest.mark.hard_case(12)
def test_names_are_keyed_by_pep_503(venv: Venv, wheelhouse: Path) -> None:
    venv.install(build_wheel(wheelhouse, "Foo_Bar.baz", "1.0"))
    assert versions(probe(venv.python)) == {"foo-bar-baz": "1.0"}


@pytest.mark.hard_case(22)
def test_pip_and_uv_give_the_same_build_at_any_path(tmp_path: Path, wheelhouse: Path) -> None:
    wheel = build_wheel(
        wheelhouse,
        "scripted",
        "2.0",
        entry_points="[console_scripts]\nscripted = scripted:main\n",
        files={"scripted/__init__.py": "def main():\n    pass\n"},
    )
    by_uv, by_pip = Venv(tmp_path / "a"), Venv(tmp_path / "deeper" / "b")
    by_uv.install(wheel)
    by_pip.pip_install(wheel)
    assert builds(probe(by_uv.python)) == builds(probe(by_pip.python))
    assert builds(probe(by_uv.python))["scripted"] is not None


@pytest.mark.hard_case(21)
@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"description": "another long description"}, True),
        ({"files": {"pkg/__init__.py": "x = 2\n"}}, False),
        ({"files": {"pkg/__init__.py": "x = 1\n", "pkg/data.csv": "1\n"}}, False),
        ({"entry_points": "[group]\nname = pkg\n"}, False),
    ],
)
def test_build_counts_what_can_act(
    tmp_path: Path, wheelhouse: Path, change: dict[str, object], is_same: bool
) -> None:
    base: dict[str, object] = {"files": {"pkg/__init__.py": "x = 1\n"}}
    one, two = Venv(tmp_path / "one"), Venv(tmp_path / "two")
    one.install(build_wheel(wheelhouse, "pkg", "1.0", **base))  # type: ignore[arg-type]
    two.install(build_wheel(wheelhouse, "pkg", "1.0", **(base | change)))  # type: ignore[arg-type]
    assert (builds(probe(one.python)) == builds(probe(two.python))) is is_same


@pytest.mark.hard_case(29)
def test_own_build_counts_its_source_like_part(tmp_path: Path, wheelhouse: Path) -> None:
    tag = f"py3-none-linux_{os.uname().machine}"
    one, two = Venv(tmp_path / "one"), Venv(tmp_path / "two")
    for venv, native in ((one, b"\x7fELF one"), (two, b"\x7fELF two")):
        files: dict[str, str | bytes] = {"own/__init__.py": "", "own/core.so": native}
        venv.install(build_wheel(wheelhouse, "own", "1.0", files=files, tag=tag))
    first, second = probe(one.python), probe(two.python)
    assert builds(first) == builds(second)
    assert str(builds(first)["own"]).startswith("source-sha256:")


@pytest.mark.hard_case(5)
def test_stale_dist_info_beside_the_real_one(venv: Venv, wheelhouse: Path) -> None:
    venv.install(build_wheel(wheelhouse, "torch", "2.1.0"))
    stale = venv.site / "torch-2.0.1.dist-info"
    stale.mkdir()
    (stale / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.0.1\n")
    (stale / "RECORD").write_text("torch/__init__.py,sha256=x,99999\ntorch/gone.py,sha256=x,3\n")
    answer = probe(venv.python)
    assert versions(answer) == {"torch": "2.1.0"}
    assert any("torch is recorded 2 times" in each for each in answer.anomalies)


@pytest.mark.hard_case(6)
def test_broken_metadata_is_recorded_and_the_rest_survives(venv: Venv, wheelhouse: Path) -> None:
    venv.install(build_wheel(wheelhouse, "good", "1.0"))
    for name, metadata in {
        "nameless-1.0.dist-info": "Metadata-Version: 2.1\nVersion: 1.0\n",
        "bad-1.0-not_pep440!.dist-info": "Metadata-Version: 2.1\nName: bad\nVersion: !1.0\n",
        "hollow-1.0.dist-info": None,
    }.items():
        (venv.site / name).mkdir()
        if metadata is not None:
            (venv.site / name / "METADATA").write_text(metadata)
    answer = probe(venv.python)
    assert versions(answer) == {"good": "1.0", "nameless": "1.0", "bad": "!1.0"}
    text = "\n".join(answer.anomalies)
    for name in ("nameless", "!1.0", "hollow"):
        assert name in text


@pytest.mark.hard_case(26)
def test_hostile_names_are_not_taken(venv: Venv) -> None:
    hostile = venv.site / "evil-1.0.dist-info"
    hostile.mkdir()
    (hostile / "METADATA").write_text(
        "Name: $(rm -rf ~)\x1b[31m\nVersion: 1.0\\n--index-url=http://evil\n"
    )
    answer = probe(venv.python)
    assert set(versions(answer)) == {"evil"}
    assert "\x1b" not in json.dumps(answer.anomalies)


@pytest.mark.hard_case(24)
def test_precedence_system_site_user_site_and_pth(tmp_path: Path, wheelhouse: Path) -> None:
    base = Venv(tmp_path / "venv")
    base.install(build_wheel(wheelhouse, "twice", "1.0"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = Venv(tmp_path / "other")
    other.install(build_wheel(wheelhouse, "twice", "2.0"), build_wheel(wheelhouse, "linked", "3.0"))
    (base.site / "more.pth").write_text(f"{other.site}\n")
    assert versions(probe(base.python)) == {"twice": "1.0", "linked": "3.0"}
    on_path = probe(base.python, PYTHONPATH=str(other.site))
    assert versions(on_path) == {"twice": "2.0", "linked": "3.0"}


@pytest.mark.hard_case(24)
def test_eggs_and_egg_infos(venv: Venv) -> None:
    import zipfile

    info = venv.site / "legacy-0.1-py3.11.egg-info"
    info.write_text("Metadata-Version: 1.1\nName: legacy\nVersion: 0.1\n")
    egg = venv.site / "zipped-0.2-py3.11.egg"
    with zipfile.ZipFile(egg, "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", "Metadata-Version: 1.1\nName: zipped\nVersion: 0.2\n")
        archive.writestr("zipped.py", "")
    (venv.site / "easy-install.pth").write_text(f"./{egg.name}\n")
    assert versions(probe(venv.python)) == {"legacy": "0.1", "zipped": "0.2"}


def test_cache_answers_the_same_and_follows_edits(venv: Venv, wheelhouse: Path) -> None:
    venv.install(build_wheel(wheelhouse, "pkg", "1.0"))
    info = venv.site / "pkg-1.0.dist-info"
    _age(info)
    cache = str(wheelhouse / "cache")
    cold = probe(venv.python, cache)
    assert os.listdir(cache)
    assert probe(venv.python, cache) == cold
    record = info / "RECORD"
    text, stat = record.read_text(), record.stat()
    # In place, same size, same mtime: only ctime tells.
    record.write_text(text.replace("sha256=", "sha256-"))
    os.utime(record, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert builds(probe(venv.python, cache)) != builds(cold)


@pytest.mark.parametrize("garbage", [b"", b"{", b"[1]", b'{"pkg-1.0.dist-info": [1, 2]}', b"\xff"])
def test_cache_full_of_garbage(venv: Venv, wheelhouse: Path, garbage: bytes) -> None:
    venv.install(build_wheel(wheelhouse, "pkg", "1.0"))
    cache = wheelhouse / "cache"
    expected = probe(venv.python)
    _age(venv.site / "pkg-1.0.dist-info")
    probe(venv.python, str(cache))
    for file in cache.iterdir():
        file.write_bytes(garbage)
    assert probe(venv.python, str(cache)) == expected


def test_young_files_are_not_cached(venv: Venv, wheelhouse: Path) -> None:
    venv.install(build_wheel(wheelhouse, "pkg", "1.0"))
    (venv.site / "pkg-1.0.dist-info" / "RECORD").touch()
    cache = wheelhouse / "cache"
    probe(venv.python, str(cache))
    assert not cache.exists() or not os.listdir(cache)


def test_noise_around_the_answer(venv: Venv) -> None:
    _at_start(venv, "import atexit; print('noise', '{}'); atexit.register(print, 'more noise')")
    assert probe(venv.python).distributions == ()


def _at_start(venv: Venv, line: str) -> None:
    # Not sitecustomize.py: Debian's Python has one of its own, which hides another.
    (venv.site / "at_start.pth").write_text(f"{line}\n")


def test_hanging_interpreter(venv: Venv) -> None:
    _at_start(venv, "import time; time.sleep(60)")
    with pytest.raises(ProbeError, match="did not answer within"):
        probe(venv.python, timeout_s=0.5)


def test_broken_interpreter(venv: Venv) -> None:
    _at_start(venv, "import os; os.write(2, b'boom\\n'); os._exit(3)")
    with pytest.raises(ProbeError, match=r"ended with 3 .*: boom"):
        probe(venv.python)


def test_missing_interpreter() -> None:
    with pytest.raises(ProbeError, match=r"no interpreter `python9\.9`"):
        probe("python9.9")


def test_program_that_is_no_interpreter() -> None:
    with pytest.raises(ProbeError, match="before it could answer"):
        probe("/bin/true" if os.path.exists("/bin/true") else "true")


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7"])
def test_too_old_an_interpreter(version: str) -> None:
    python = _pyenv(version)
    with pytest.raises(ProbeError, match=r"older than Python 3\.8"):
        probe(python)


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.12", "3.13"])
def test_other_interpreters_agree_with_their_importlib_metadata(version: str) -> None:
    python = _pyenv(version)
    code = (
        "import importlib.metadata as m;"
        "import json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    answer = probe(python)
    assert versions(answer) == {normalized(k): v for k, v in json.loads(done.stdout).items()}
    assert answer.version.startswith(version + ".")


def test_probe_runs_without_envstage_on_the_path(venv: Venv) -> None:
    done = subprocess.run(
        [venv.python, "-I", PROBE, "cookie", ""], capture_output=True, check=True, cwd="/"
    )
    assert b"cookie" in done.stdout
    assert importlib.metadata  # the tests' own, for the comparison above


def _pyenv(version: str) -> str:
    found = interpreter(version)
    if found is None:
        pytest.skip(f"no Python {version} here")
    return found


def _age(folder: Path) -> None:
    """Wait until the cache takes these files for settled."""
    import time

    newest = max(file.stat().st_ctime for file in folder.iterdir())
    time.sleep(max(0.0, newest + 2.1 - time.time()))


@pytest.mark.parametrize("name", ["json", "hashlib", "types", "re", "csv"])
def test_a_module_that_shadows_the_standard_library_does_not_harm_the_probe(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('this is for the program')\n")
    answer = probe(sys.executable, PYTHONPATH=str(tmp_path))
    assert answer.path[0] == str(tmp_path)
    assert versions(answer) == versions(probe(sys.executable))
