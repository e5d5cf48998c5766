"""Packages from real installs: origins, editable checkouts, own tooling, edits in place."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envstage.facets import packages
from envstage.facets.contract import Collected, Installed, Request
from envstage.interpreter import finish_probe, start_probe
from envstage.snapshot.model import Level
from envstage.world import Machine
from tests.wheels import Venv, build_wheel

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    return Venv(tmp_path / "venv")


def collected(venv: Venv, root: Path, *, verify: bool = False) -> Collected:
    world = Machine()
    answer = finish_probe(start_probe(world, str(venv.python), "/", ""), 30)
    request = Request(root=str(root), level=Level.PLATFORM, probe=answer, verify=verify)
    return packages.collect(world, request)


def fact(found: Collected, name: str, key: str) -> object:
    return found.facts.get(("packages", name, key))


def with_origin(venv: Venv, wheelhouse: Path, document: object) -> None:
    venv.install(build_wheel(wheelhouse, "pkg", "1.0"))
    (venv.site / "pkg-1.0.dist-info" / "direct_url.json").write_text(json.dumps(document))


@pytest.mark.hard_case(1)
@pytest.mark.parametrize(
    "url",
    [
        "https://bob:ghp_0123456789abcdef0123456789abcdef0123@github.com/o/p",
        "https://ghp_0123456789abcdef0123456789abcdef0123@github.com/o/p",
    ],
)
def test_credentials_of_a_git_url_are_gone(
    venv: Venv, wheelhouse: Path, tmp_path: Path, url: str
) -> None:
    with_origin(venv, wheelhouse, {"url": url, "vcs_info": {"vcs": "git", "commit_id": COMMIT}})
    found = collected(venv, tmp_path)
    assert fact(found, "pkg", "url") == "git+https://github.com/o/p"
    assert fact(found, "pkg", "source") == f"commit:{COMMIT}"
    assert fact(found, "pkg", "note") == "needs credentials"
    assert "ghp_" not in repr(found)


@pytest.mark.hard_case(2)
def test_token_in_the_query_of_an_archive_is_gone_and_its_hash_kept(
    venv: Venv, wheelhouse: Path, tmp_path: Path
) -> None:
    url = "https://example.org/pkg-1.0.whl?token=SECRETSECRETSECRET"
    document = {"url": url, "archive_info": {"hashes": {"sha256": "ab" * 32}}}
    with_origin(venv, wheelhouse, document)
    found = collected(venv, tmp_path)
    assert fact(found, "pkg", "url") == "https://example.org/pkg-1.0.whl"
    assert fact(found, "pkg", "source") == "sha256:" + "ab" * 32
    assert "SECRET" not in repr(found)


def test_local_paths_are_not_recorded(venv: Venv, wheelhouse: Path, tmp_path: Path) -> None:
    with_origin(venv, wheelhouse, {"url": "file:///home/bob/pkg.whl", "archive_info": {}})
    found = collected(venv, tmp_path)
    assert "bob" not in repr([value for key, value in found.facts.items() if key[2] != "x"])


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": 1}', '{"url": "x", "vcs_info": 3}'])
def test_broken_origin_is_an_anomaly_at_most(
    venv: Venv, wheelhouse: Path, tmp_path: Path, text: str
) -> None:
    with_origin(venv, wheelhouse, {})
    (venv.site / "pkg-1.0.dist-info" / "direct_url.json").write_text(text)
    assert fact(collected(venv, tmp_path), "pkg", "version") == "1.0"


def project(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "{name}"\nversion = "0.1"\n'
    )
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("value = 1\n")
    return folder


def editable(venv: Venv, folder: Path) -> None:
    """An editable install as PEP 660 leaves it, without a build from the network."""
    name = folder.name
    venv.install(build_wheel(folder.parent, name, "0.1", files={f"_{name}.pth": f"{folder}\n"}))
    info = venv.site / f"{name}-0.1.dist-info"
    document = {"url": folder.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(document))


@pytest.mark.hard_case(9)
def test_editable_outside_the_project_counts_by_its_files(venv: Venv, tmp_path: Path) -> None:
    checkout = project(tmp_path / "elsewhere" / "lib", "lib")
    editable(venv, checkout)
    root = tmp_path / "repo"
    root.mkdir()
    before = fact(collected(venv, root), "lib", "source")
    (checkout / "README.md").write_text("only words\n")
    assert fact(collected(venv, root), "lib", "source") == before
    (checkout / "lib" / "__init__.py").write_text("value = 2\n")
    after = collected(venv, root)
    assert fact(after, "lib", "source") != before
    assert fact(after, "lib", "build") is None
    assert str(tmp_path) not in repr(after.facts[("packages", "lib", "source")])
    assert fact(after, "lib", "editable") == "outside the project"


@pytest.mark.hard_case(9)
def test_editable_inside_the_project_is_code(venv: Venv, tmp_path: Path) -> None:
    checkout = project(tmp_path / "repo" / "lib", "lib")
    editable(venv, checkout)
    found = collected(venv, tmp_path / "repo")
    assert fact(found, "lib", "source") is None
    assert fact(found, "lib", "editable") == "lib"


def test_checkout_that_pip_cloned_into_an_environment_of_the_project_is_not_its_code(
    tmp_path: Path,
) -> None:
    venv = Venv(tmp_path / "repo" / ".venv")
    checkout = project(venv.folder / "src" / "lib", "lib")
    editable(venv, checkout)
    found = collected(venv, tmp_path / "repo")
    assert fact(found, "lib", "editable") == "outside the project"
    assert str(fact(found, "lib", "source")).startswith("sha256:")


@pytest.mark.hard_case(42)
def test_own_project_of_another_clone_is_code(venv: Venv, tmp_path: Path) -> None:
    checkout = project(tmp_path / "first" / "mine", "mine")
    editable(venv, checkout)
    second = project(tmp_path / "second" / "mine", "mine")
    assert fact(collected(venv, second), "mine", "source") is None


def installed(name: str, *requires: str, is_requested: bool = False) -> Installed:
    return Installed(
        name=name,
        version="1",
        location="/site",
        metadata_path=f"/site/{name}",
        requires=requires,
        is_requested=is_requested,
    )


def test_only_what_nothing_else_needs_is_ours() -> None:
    distributions = (
        installed("envstage", "msgspec", "pyyaml", "rich"),
        installed("msgspec"),
        installed("pyyaml"),
        installed("rich", "pygments"),
        installed("pygments"),
        installed("pandas", "pyyaml", is_requested=True),
    )
    ours = {"envstage", "msgspec", "rich", "pygments"}
    assert packages.only_ours(distributions, frozenset()) == ours
    asked = (*distributions[:1], installed("msgspec", is_requested=True), *distributions[2:])
    assert packages.only_ours(asked, frozenset()) == ours - {"msgspec"}
    assert packages.only_ours(distributions, frozenset({"rich"})) == {"envstage", "msgspec"}
    assert packages.only_ours(distributions[1:], frozenset()) == frozenset()


@pytest.mark.hard_case(23)
def test_edit_in_place_is_seen_with_verify_and_the_file_is_named(
    venv: Venv, wheelhouse: Path, tmp_path: Path
) -> None:
    venv.install(build_wheel(wheelhouse, "pkg", "1.0", files={"pkg/core.py": "x = 1\n"}))
    plain = collected(venv, tmp_path)
    assert collected(venv, tmp_path, verify=True) == plain
    core = venv.site / "pkg" / "core.py"
    core.write_text("x = 21\n")
    assert collected(venv, tmp_path) == plain
    found = collected(venv, tmp_path, verify=True)
    assert fact(found, "pkg", "build") != fact(plain, "pkg", "build")
    assert any("pkg: edited in place: pkg/core.py" in each for each in found.anomalies)
    core.unlink()
    gone = collected(venv, tmp_path, verify=True)
    assert fact(gone, "pkg", "build") not in (
        fact(plain, "pkg", "build"),
        fact(found, "pkg", "build"),
    )


def test_edit_of_the_same_size_after_the_install_is_seen(
    venv: Venv, wheelhouse: Path, tmp_path: Path
) -> None:
    venv.install(build_wheel(wheelhouse, "pkg", "1.0", files={"pkg/core.py": "x = 1\n"}))
    core = venv.site / "pkg" / "core.py"
    subprocess.run(
        [sys.executable, "-c", f"open({str(core)!r}, 'w').write('x = 2\\n')"], check=True
    )
    later = core.stat().st_mtime + 60
    os.utime(core, (later, later))
    assert collected(venv, tmp_path, verify=True).anomalies


def test_ours_is_all_that_envstage_needs() -> None:
    # Under any Python: markers other than those of extras are not looked at.
    installed: dict[str, metadata.Distribution] = {
        canonicalize_name(each.name): each for each in metadata.distributions()
    }
    waiting: list[str] = [packages.OURSELVES]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        needed = map(Requirement, installed[name].requires or []) if name in installed else ()
        waiting += [
            canonicalize_name(each.name) for each in needed if "extra" not in str(each.marker)
        ]
    assert seen <= packages.OURS
