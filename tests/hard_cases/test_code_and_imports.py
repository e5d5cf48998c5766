"""Hard cases of Git, of the command line, and of what is imported."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from envstage.capture.write import Mode
from envstage.capture.write import run as capture
from envstage.project import open_project
from envstage.world import Machine
from tests.observer.observed import names, script
from tests.repository import Repository, is_root

pytestmark = pytest.mark.e2e

NATIVE = """\
#include <Python.h>

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_native(void) {
    PyObject *hidden = PyImport_ImportModule("hidden");
    if (hidden == NULL) return NULL;
    Py_DECREF(hidden);
    return PyModule_Create(&module);
}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.at(tmp_path)
    repository.install("alpha", "1.0")
    return repository


@pytest.mark.hard_case(20)
@pytest.mark.skipif(not is_root(), reason="only root can give files away")
def test_a_repository_of_another_owner_is_read(repository: Repository) -> None:
    commit = repository.run("git", "rev-parse", "HEAD").strip()
    for path in (repository.root, *repository.root.rglob("*")):
        os.chown(path, 54321, 54321)
    assert "dubious ownership" in repository.run("git", "status", code=128)  # the trap works
    repository.capture()
    code = repository.context()["code"]
    assert (code["commit"], code["branch"], code["dirty"]) == (commit, "main", False)


@pytest.mark.hard_case(20)
def test_our_own_output_is_no_dirt(repository: Repository) -> None:
    repository.write("train.py", "x = 1\n")
    repository.capture()
    repository.commit("captured")
    repository.install("alpha", "2.0")
    repository.capture()
    assert "environment/" in repository.status()
    assert repository.context()["code"]["dirty"] is False
    repository.write("train.py", "x = 2\n")
    repository.capture()
    code = repository.context()["code"]
    assert code["dirty"] is True and code["diff"].startswith("sha256:")


@pytest.mark.hard_case(20)
def test_secrets_of_the_command_line_are_removed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "ghp_0123456789abcdefghij0123456789abcdefgh"
    argv = ["capture", f"--token={token}", f"https://bob:{token}@host/x?key={token}", token, "-e"]
    for name, value in repository.variables().items():
        monkeypatch.setenv(name, value)
    world = Machine(repository.variables())
    capture(world, open_project(str(repository.root)), mode=Mode.CAPTURE, argv=argv)
    assert token not in repository.context_bytes().decode()
    assert repository.context()["argv"] == [
        *("capture", "(removed)", "https://host/x", "(removed)", "-e")
    ]


@pytest.mark.hard_case(26)
def test_a_branch_and_files_with_hostile_names_are_only_names(repository: Repository) -> None:
    branch = "$(touch${IFS}pwned)`touch${IFS}pwned`</script>"
    for name in ("$(touch pwned).py", "a\nb.py", "<script>.py", "\x1b[31mred.py"):
        (repository.root / name).write_text("x = 1\n")
    repository.run("git", "checkout", "-q", "-b", branch)
    repository.commit("hostile names")
    repository.capture()
    assert repository.context()["code"]["branch"] == branch
    assert not (repository.root / "pwned").exists()
    assert "\x1b" not in repository.context_bytes().decode()
    said = repository.run("envstage", "log")
    assert "\x1b" not in said and not (repository.root / "pwned").exists()


@pytest.mark.hard_case(33)
def test_what_compiled_code_imports_is_seen(tmp_path: Path) -> None:
    include = Path(sysconfig.get_path("include"))
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not (include / "Python.h").exists():
        pytest.skip("nothing here compiles an extension module")
    (tmp_path / "native.c").write_text(NATIVE)
    (tmp_path / "hidden.py").write_text("")
    output = f"native{sysconfig.get_config_var('EXT_SUFFIX')}"
    command = [compiler, "-shared", "-fPIC", f"-I{include}", "native.c", "-o", output]
    subprocess.run(command, cwd=tmp_path, check=True)
    seen = script(tmp_path, "import native").observation
    assert {"hidden.py", output} <= names(seen, tmp_path)
    assert seen.doubts == ()
