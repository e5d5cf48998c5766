"""Real environments from wheels that the test builds, captured, built again, compared."""

import os
from pathlib import Path

import pytest

from envstage.recreate import build, conda, installer
from tests.recreate.projects import Project, committed, git, index_of, served, source_tree
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e


def test_everything_comes_back(project: Project, wheelhouse: Path) -> None:
    wheels = [build_wheel(wheelhouse, name, "1.0") for name in ("one", "two", "setuptools")]
    project.venv.install(*wheels)
    project.capture()
    code, out, err = project.run("recreate", "--find-links", str(wheelhouse))
    assert code == 0, out + err
    assert "3 of 3 packages as they were" in out
    [folder] = project.built
    assert not (folder / build.MARKER).exists()
    assert (folder / "bin" / "activate").exists()
    assert "+ one==1.0" in err


def test_pip_builds_it_where_uv_is_not_installed(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    monkeypatch.setattr(installer, "find_uv", lambda world: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    code, out, err = project.run("recreate", "--find-links", str(wheelhouse))
    assert code == 0, out + err
    assert "building with pip" in err
    assert not list(project.built[0].glob("lib/*/site-packages/pip"))


@pytest.mark.hard_case(30)
def test_public_namesake_of_a_private_package_is_an_error(
    project: Project, wheelhouse: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    public.mkdir()
    files = {"tabulate.py": "public = 1\n"}
    build_wheel(public, "tabulate", "0.9.0", files=files)
    private = build_wheel(wheelhouse, "tabulate", "0.9.0", files={"tabulate.py": "private = 1\n"})
    project.venv.install(private)
    project.capture()
    code, out, _ = project.run("recreate", "--find-links", str(public))
    assert code == 1
    assert "tabulate: 0.9.0 has other files" in out
    assert "public namesake" in out
    assert project.built == []
    code, out, _ = project.run("recreate", "--find-links", str(public), "--keep")
    assert code == 1
    assert len(project.built) == 1


def test_right_files_are_found_where_another_place_has_the_same_version(
    project: Project, wheelhouse: Path, tmp_path: Path
) -> None:
    public = build_wheel(wheelhouse, "tabulate", "0.9.0", files={"tabulate.py": "public = 1\n"})
    own = tmp_path / "own"
    own.mkdir()
    private = build_wheel(own, "tabulate", "0.9.0", files={"tabulate.py": "private = 1\n"})
    project.venv.install(private)
    project.capture()
    with served(index_of(public)) as one, served(index_of(private)) as two:
        code, out, err = project.run("recreate", "--index", one, "--index", two)
    assert code == 0, out + err
    assert "its files differ; trying" in err


@pytest.mark.hard_case(29)
def test_wheel_compiled_again_is_the_same_source(
    project: Project, wheelhouse: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    again.mkdir()
    for folder, native in ((wheelhouse, b"\x7fELF one"), (again, b"\x7fELF other")):
        files: dict[str, str | bytes] = {"crc/__init__.py": "x = 1\n", "crc/_core.so": native}
        wheel = build_wheel(folder, "crc", "1.7", files=files, tag="cp311-cp311-linux_x86_64")
        if folder is wheelhouse:
            project.venv.install(wheel)
    assert project.capture()["crc"]["build"].startswith("source-sha256:")
    code, out, err = project.run("recreate", "--find-links", str(again))
    assert code == 0, out + err
    assert "1 same source, own build" in out


def test_vanished_version_is_named_and_nothing_is_left(project: Project, wheelhouse: Path) -> None:
    project.venv.install(build_wheel(wheelhouse, "vanished-thing", "1.0"))
    project.capture()
    code, _, err = project.run("recreate")
    assert code == 3
    last = err.strip().splitlines()[-1]
    assert last.startswith("envstage: vanished-thing: ")
    assert "cannot be rebuilt from elsewhere" in last
    assert "Traceback" not in err
    assert project.built == []


def test_index_that_wants_credentials_is_said(project: Project, wheelhouse: Path) -> None:
    project.venv.install(build_wheel(wheelhouse, "secret-sauce", "1.0"))
    project.capture()
    with served(lambda path: (401, b"")) as url:
        code, _, err = project.run("recreate", "--index", url)
    assert code == 3
    assert "secret-sauce: an index wants credentials" in err


def test_index_that_cannot_be_reached_is_said(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    code, _, err = project.run("recreate", "--index", "http://127.0.0.1:9/simple")
    assert code == 3
    assert "it cannot be reached" in err.splitlines()[-1]


def test_yanked_version_comes_back_and_the_installer_says_so(
    project: Project, wheelhouse: Path
) -> None:
    wheel = build_wheel(wheelhouse, "regretted", "1.0")
    project.venv.install(wheel)
    project.capture()
    with served(index_of(wheel, attributes={"data-yanked": "broken"})) as url:
        code, out, err = project.run("recreate", "--index", url)
    assert code == 0, out + err
    assert "yanked" in err


@pytest.mark.hard_case(10)
def test_repository_of_this_machine_with_a_subdirectory(project: Project, tmp_path: Path) -> None:
    repository = tmp_path / "upstream"
    source_tree(repository / "lang" / "python", "tool")
    commit = committed(repository)
    project.venv.install_direct(f"tool @ git+file://{repository}@{commit}#subdirectory=lang/python")
    facts = project.capture()["tool"]
    assert facts["commit"] == commit
    assert str(tmp_path) not in str(facts)
    code, out, err = project.run("recreate")
    assert code == 0, out + err
    project.forget_this_machine()
    code, out, err = project.run("recreate")
    assert code == 3
    assert "tool: 0.1, installed from a local file" in err
    assert "cannot be rebuilt from elsewhere" in err


def test_editable_checkout_comes_back_while_it_is_as_it_was(
    project: Project, tmp_path: Path
) -> None:
    checkout = source_tree(tmp_path / "lib", "lib")
    committed(checkout)
    project.venv.install_direct("-e", checkout)
    project.capture()
    code, out, err = project.run("recreate")
    assert code == 0, out + err
    (checkout / "src" / "lib" / "__init__.py").write_text("value = 2\n")
    code, _, err = project.run("recreate", "--to", str(tmp_path / "second"))
    assert code == 3
    assert "lib: 0.1, an editable checkout" in err


@pytest.mark.hard_case(39)
def test_clean_commit_is_never_taken_for_an_edited_checkout(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = source_tree(tmp_path / "lib", "lib")
    (checkout / ".gitignore").write_text("__pycache__\n")
    committed(checkout)
    git_config = tmp_path / "gitconfig"
    git_config.write_text(f'[url "{checkout.as_uri()}"]\n\tinsteadOf = https://example.org/lib\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(git_config))
    config = checkout / ".git" / "config"
    config.write_text(config.read_text() + '[remote "origin"]\n\turl = https://example.org/lib\n')
    project.venv.install_direct("-e", checkout)
    assert project.capture()["lib"]["url"] == "git+https://example.org/lib"
    project.forget_this_machine()
    code, out, err = project.run("recreate")
    assert code == 0, out + err
    edit = checkout / "src" / "lib" / "__init__.py"
    edit.write_text("value = 2\n")
    (checkout / "src" / "lib" / "more.py").write_text("new = 1\n")  # Git does not know it
    assert "changes" in project.capture()["lib"]
    project.forget_this_machine()
    code, _, err = project.run("recreate")
    assert code == 3
    assert "edits that are in no commit" in err
    # Archived, the edits come back elsewhere, and are compared.
    before = git(checkout, "status", "--porcelain")
    code, _, err = project.run("capture", "--archive-diffs")
    assert code == 0
    [patch] = (project.root / "environment" / "diffs").iterdir()
    assert f"lib: its edits are in environment/diffs/{patch.name}: commit it" in err
    assert git(checkout, "status", "--porcelain") == before
    project.forget_this_machine()
    target = tmp_path / "edited"
    code, out, err = project.run("recreate", "--to", str(target))
    assert code == 0, out + err
    rebuilt = target / build.SOURCES / "lib" / "src" / "lib"
    assert (rebuilt / "__init__.py").read_text() == "value = 2\n"
    assert (rebuilt / "more.py").exists()
    patch.write_text(patch.read_text().replace("value = 2", "value = 3"))
    code, out, err = project.run("recreate")
    assert code == 1
    assert "lib: the checkout's files are not those that were captured" in out
    patch.unlink()
    edit.write_text("token = 'ghp_0123456789abcdefghij0123456789abcdef'\n")
    project.capture()
    code, _, err = project.run("capture", "--archive-diffs")
    assert "lib: its edits are not archived: line" in err
    assert "looks like a secret" in err
    assert not list((project.root / "environment" / "diffs").iterdir())


def test_own_code_is_installed_from_the_project(project: Project) -> None:
    mine = source_tree(project.root / "lib", "mine")
    project.venv.install_direct("-e", mine)
    project.capture()
    code, out, err = project.run("recreate")
    assert code == 0, out + err


def test_interrupted_nothing_is_left(
    project: Project, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    from envstage.cli import recreate_command

    def interrupting(is_quiet: bool) -> object:
        def show(line: str) -> None:
            if "comparing" in line:
                raise KeyboardInterrupt

        return show

    monkeypatch.setattr(recreate_command, "progress_of", interrupting)
    code, _, err = project.run("recreate", "--find-links", str(wheelhouse))
    assert code == 130
    assert "interrupted" in err
    assert project.built == []


def test_what_a_killed_run_left_is_marked_and_replaced(
    project: Project, wheelhouse: Path, tmp_path: Path
) -> None:
    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    target = tmp_path / "target"
    target.mkdir()
    (target / build.MARKER).write_text("")
    (target / "leftover").write_text("")
    words = ("recreate", "--find-links", str(wheelhouse), "--to", str(target))
    assert project.run(*words)[0] == 0
    assert "leftover" not in os.listdir(target)
    code, _, err = project.run(*words)
    assert code == 2
    assert "is there already and not empty" in err


def test_nearest_interpreter_is_taken_with_a_word_and_refused_when_strict(
    project: Project, wheelhouse: Path
) -> None:
    from envstage.snapshot.document import decode, encode

    project.venv.install(build_wheel(wheelhouse, "one", "1.0"))
    project.capture()
    path = project.root / "environment" / "environment.json"
    snapshot = decode(path.read_bytes(), "")
    facts = {**snapshot.facts, ("python", "version"): "3.11.99"}
    import msgspec

    path.write_bytes(encode(msgspec.structs.replace(snapshot, facts=facts)))
    words = ("recreate", "--offline", "--find-links", str(wheelhouse))
    code, _, err = project.run(*words, "--strict")
    assert code == 2
    assert "there is no cpython 3.11.99 on this machine; the nearest is 3.11." in err
    code, out, err = project.run(*words)
    assert code == 0, out + err
    assert "instead of 3.11.99" in out


@pytest.mark.hard_case(4)
def test_environment_of_condas_is_sent_to_conda_where_there_is_none(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from envstage.snapshot.document import encode
    from tests.export.samples import CONDA

    path = tmp_path / "conda.json"
    path.write_bytes(encode(CONDA))
    words = ("recreate", str(path), "--keep")
    assert "conda's local-thing: from a channel in a folder" in project.run(*words[:-1])[2]
    for name in ("MAMBA_EXE", "CONDA_EXE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(conda, "find_conda", lambda world: None)
    code, _, err = project.run(*words)
    assert code == 3
    assert "conda made this environment, and none of micromamba, mamba and conda is here" in err
    assert "envstage export conda" in err
