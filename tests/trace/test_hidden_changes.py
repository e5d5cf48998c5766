"""Changes that no name and no plain file tells of: a whole capture sees them, so must a trace."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from envstage import interpreter
from envstage.facets.contract import ProbeAnswer
from envstage.trace import document, questions
from envstage.views.selection import Selection
from tests.trace.conftest import TICK_S, Answer, Traced, edit_in_place
from tests.wheels import build_wheel

pytestmark = pytest.mark.e2e
Step = Callable[[Traced], object]


def _link(path: Path, target: Path) -> None:
    """Point a symbolic link at something else, as installers do: in one step."""
    beside = path.with_name(f"{path.name}.new")
    beside.symlink_to(target)
    beside.replace(path)


def _info(it: Traced, name: str = "alpha-1.0") -> Path:
    return it.venv.site / f"{name}.dist-info"


# A name that a run looked up, on the import path: the project's code by a link, then not.
def _code_by_a_link(it: Traced) -> None:
    folder = it.root.parent / "extra"
    folder.mkdir()
    it.write("lib/helper.py", "ours = 1\n")
    (it.root.parent / "helper.py").write_text("theirs = 1\n")
    _link(folder / "helper.py", it.root / "lib/helper.py")
    (it.venv.site / "extra.pth").write_text(str(folder))
    it.finalise(Selection(packages=frozenset({"alpha"}), modules=frozenset({"helper"})))


def _linked_elsewhere(it: Traced) -> None:
    _link(it.root.parent / "extra/helper.py", it.root.parent / "helper.py")


# An editable install that is the project's own code by a link, then a checkout elsewhere.
def _editable_by_a_link(it: Traced) -> None:
    for folder in (it.root / "lib", it.root.parent / "lib"):
        folder.mkdir()
        (folder / "ours.py").write_text("")
    _link(it.root.parent / "checkout", it.root / "lib")
    _direct(it, f'{{"url": "file://{it.root.parent}/checkout", "dir_info": {{"editable": true}}}}')


def _folder_by_a_link(it: Traced) -> None:
    (it.root / "lib").mkdir()
    (it.root.parent / "lib").mkdir()
    _link(it.root.parent / "checkout", it.root / "lib")
    _direct(it, f'{{"url": "file://{it.root.parent}/checkout", "dir_info": {{}}}}')


def _direct(it: Traced, text: str) -> None:
    (_info(it) / "direct_url.json").write_text(text)


def _checkout_elsewhere(it: Traced) -> None:
    _link(it.root.parent / "checkout", it.root.parent / "lib")


# An interpreter that gives no answer, which no view needs; then it does.
NO_PYTHON = "views:\n  train: {exclude: [python.*, packages.*, conda.*, hardware.*]}\n"


def _broken_start(it: Traced) -> None:
    it.write("envstage.yaml", NO_PYTHON)
    (it.venv.site / "start.pth").write_text("import os; os._exit(3)\n")


def _mended_start(it: Traced) -> None:
    (it.venv.site / "start.pth").write_text("")


def _no_program(it: Traced) -> None:
    it.write("envstage.yaml", NO_PYTHON)
    os.replace(it.venv.python, it.venv.bin / "kept")
    it.venv.python.write_bytes(b"\x7fELF nothing that starts")
    it.venv.python.chmod(0o755)


def _a_program(it: Traced) -> None:
    os.replace(it.venv.bin / "kept", it.venv.python)


# Two records of one package in a folder: which of them is true is told by the files' sizes.
def _two_records(it: Traced) -> None:
    files = {"alpha/__init__.py": "version = '1.0'\n", "alpha/more.py": "more = 1\n"}
    shutil.copytree(_info(it), it.root.parent / "kept")
    it.venv.install(build_wheel(it.wheelhouse, "alpha", "2.0", files=files))
    shutil.copytree(it.root.parent / "kept", _info(it))


def _files_of_the_other(it: Traced) -> None:
    (it.venv.site / "alpha/__init__.py").write_text("version = '1.0' # of the older\n")
    (it.venv.site / "alpha/__init__.py").write_text("version = '1.0'\n")
    (it.venv.site / "alpha/more.py").unlink()


# A folder whose name is in capitals, as some build tools write them.
def _in_capitals(it: Traced) -> None:
    os.replace(_info(it), _info(it).with_suffix(".DIST-INFO"))


def _entry_points(it: Traced) -> None:
    wheel = build_wheel(it.wheelhouse, "alpha", "1.0", entry_points="[tools]\nmain = alpha:one\n")
    it.venv.install(wheel)
    it.finalise(Selection(packages=frozenset({"alpha"}), entry_points=frozenset({"tools"})))


def _old_layout(it: Traced) -> None:
    """A `dist-info` with PKG-INFO in the place of METADATA, as some build systems leave."""
    os.replace(_info(it) / "METADATA", _info(it) / "PKG-INFO")


def _active_by_a_link(it: Traced) -> None:
    _link(it.root.parent / "active", it.venv.folder)
    os.environ["VIRTUAL_ENV"] = str(it.root.parent / "active")


def _views_elsewhere(it: Traced) -> None:
    views = it.root / "environment/views"
    views.rename(it.root.parent / "views")
    views.symlink_to(it.root.parent / "views")


def _two_runs(it: Traced) -> None:
    """The view that is there and one of an earlier run both hold; the code fits the former."""
    it.write("other.py", "")
    it.finalise(Selection(packages=frozenset({"gamma"})), ["other.py"])
    it.finalise(Selection(packages=frozenset({"alpha"})), ["train.py"])
    (it.root / "other.py").write_text("# edited\n")


def _other_run_of_the_same_number(it: Traced) -> None:
    folder = it.root / ".envstage/archive/main/train"
    entry = (folder / "1.json").read_text()
    (folder / "2.json").unlink()
    (folder / "1.json").unlink()
    (folder / "2.json").write_text("{}")
    text = entry.replace(entry.split('"other.py": "')[1].split('"')[0], _digest(it, "other.py"))
    (folder / "1.json").write_text(text)


def _digest(it: Traced, name: str) -> str:
    from envstage.views.prediction import input_digest

    return input_digest(str(it.root / name))


# An interpreter that says something else of itself, by a file that nobody looks at.
def _plain_start(it: Traced) -> None:
    (it.venv.site / "start.pth").write_text("import sys\n")


def _debug_start(it: Traced) -> None:
    (it.venv.site / "start.pth").write_text("import sys; sys.gettotalrefcount = print\n")


# `~` is another folder for another user.
def _at_home(it: Traced) -> None:
    it.write("envstage.yaml", "environments: {main: {python: ~/bin/python}}\nviews: {train: {}}\n")
    os.environ["ENVSTAGE_CACHE"] = os.path.join(os.environ["HOME"], "cache")
    os.environ |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    _home(it, "home", "exec python")


def _other_home(it: Traced) -> None:
    _home(it, "other", "exec python -S")


def _home(it: Traced, name: str, command: str) -> None:
    os.environ["HOME"] = str(it.root.parent / name)
    script = it.root.parent / name / "bin/python"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\n{command} "$@"\n')
    script.chmod(0o755)


def _nothing(it: Traced) -> None:
    del it


HIDDEN: dict[str, tuple[Step, Step]] = {
    "a link to code leads out of the project": (_code_by_a_link, _linked_elsewhere),
    "an editable install leads out of the project": (_editable_by_a_link, _checkout_elsewhere),
    "the folder of an install leads out of the project": (_folder_by_a_link, _checkout_elsewhere),
    "the interpreter starts again": (_broken_start, _mended_start),
    "the interpreter can be started": (_no_program, _a_program),
    "files of one of two records": (_two_records, _files_of_the_other),
    "METADATA of a folder in capitals": (
        _in_capitals,
        lambda it: edit_in_place(
            _info(it).with_suffix(".DIST-INFO") / "METADATA", "Version: 1.0", "Version: 1.1"
        ),
    ),
    "entry points edited in place": (
        _entry_points,
        lambda it: edit_in_place(_info(it) / "entry_points.txt", "one", "two"),
    ),
    "entry points added": (
        lambda it: it.finalise(Selection(entry_points=frozenset({"tools"}))),
        lambda it: (_info(it) / "entry_points.txt").write_text("[tools]\nmain = alpha:one\n"),
    ),
    "PKG-INFO edited in place": (
        _old_layout,
        lambda it: edit_in_place(_info(it) / "PKG-INFO", "Version: 1.0", "Version: 1.1"),
    ),
    "another environment is active by a link": (
        _active_by_a_link,
        lambda it: _link(it.root.parent / "active", it.root),
    ),
    "the interpreter is of debugging": (_plain_start, _debug_start),
    "another home": (_at_home, _other_home),
    "the views are a link out of the project": (_nothing, _views_elsewhere),
    "another run under the number of an earlier one": (_two_runs, _other_run_of_the_same_number),
}


@pytest.mark.parametrize("change", HIDDEN)
def test_a_hidden_change_ends_a_trace(project: Traced, change: str) -> None:
    prepare, hide = HIDDEN[change]
    prepare(project)
    time.sleep(TICK_S)
    before = project.answer()
    project.answer()
    hide(project)
    time.sleep(TICK_S)
    is_held = project.is_unchanged()
    after = project.answer()
    assert _told(project.answer_anew()) == _told(after), "what is kept of before is not true"
    assert _told(after) != _told(before), "nothing changed that a capture sees"
    assert not is_held


def test_a_folder_without_configuration_is_the_project_while_none_is_above(project: Traced) -> None:
    (project.root / "envstage.yaml").unlink()
    shutil.rmtree(project.root / "environment")
    project.settle()
    above = project.root.parent / "envstage.yaml"
    above.write_text("views: {}\n")
    time.sleep(TICK_S)
    assert not project.is_unchanged()
    above.unlink()
    assert project.is_unchanged()
    (project.root / ".git").rename(project.root / "git")
    (project.root / ".dvc").mkdir()
    project.settle()
    (project.root / ".dvc").rmdir()
    assert not project.is_unchanged(), "there is no project any more"


def test_a_repository_that_came_and_a_git_that_came_end_a_trace(
    project: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The context says which commit it was: no capture but a whole one writes it."""
    (project.root / ".git").rename(project.root.parent / "kept")
    project.settle()
    (project.root.parent / "kept").rename(project.root.parent / ".git")
    assert not project.is_unchanged()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(project.venv.bin))
        project.settle()
    assert not project.is_unchanged()


def test_a_record_that_is_known_is_read_again_where_its_folder_changed(project: Traced) -> None:
    """The probe keeps what it read for as long as files are the same."""
    project.finalise(Selection(entry_points=frozenset({"tools"})))
    time.sleep(2.1)  # younger files are not kept in its cache
    before = project.answer()
    (_info(project) / "entry_points.txt").write_text("[tools]\nmain = alpha:one\n")
    time.sleep(2.1)
    added = project.answer()
    assert _told(added) == _told(project.answer_anew()) != _told(before)
    edit_in_place(_info(project) / "entry_points.txt", "one", "two")
    assert _told(project.answer()) == _told(project.answer_anew()) != _told(added)


def test_another_python_or_library_under_envstage_begins_anew(
    project: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version", sys.version.replace("3.", "4.", 1))
        assert not project.is_unchanged()
    assert project.is_unchanged()
    library = project.root.parent / "archspec.py"
    library.write_text("")
    monkeypatch.setitem(sys.modules, "archspec", SimpleNamespace(__file__=str(library)))
    project.write("envstage.yaml", "views: {train: {exclude: [packages.black]}}\n")
    project.settle()
    library.write_text("# another release\n")
    time.sleep(TICK_S)
    assert not project.is_unchanged()


@pytest.mark.parametrize("name", ["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"])
def test_another_image_begins_anew(
    project: Traced, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In an image all files may have the time of its making, or none."""
    image = project.root.parent / "image.sif"
    image.write_text("one")
    monkeypatch.setenv(name, str(image))
    project.settle()
    edit_in_place(image, "one", "two")
    time.sleep(TICK_S)
    assert not project.is_unchanged()
    image.unlink()
    project.answer()
    project.answer()
    assert not project.is_unchanged(), "nobody can see which image this is"


def test_the_trace_of_another_project_is_none(project: Traced) -> None:
    cache = document.cache_folder(os.environ)
    other = document.path_of(cache, str(project.root.parent / "other"))
    shutil.copy(document.path_of(cache, str(project.root)), other)
    assert document.load(other) is None


def test_an_edited_envstage_begins_anew_whatever_its_times_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "__file__", str(tmp_path / "trace/document.py"))
    source = tmp_path / "trace/source.py"
    source.parent.mkdir()
    source.write_text("one")
    before = document.code_identity()
    time.sleep(TICK_S)
    edit_in_place(source, "one", "two")
    assert document.code_identity() != before


@pytest.mark.parametrize("name", ["RECORD", "direct_url.json", "uv.lock", "summary.json"])
def test_what_is_young_when_a_capture_begins_is_not_built_on(
    project: Traced, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """However long the capture takes: a second edit within the same tick was not seen by it."""
    folder = {"uv.lock": project.root, "summary.json": project.root / "environment"}
    path = folder.get(name, _info(project, "gamma-1.0")) / name
    path.touch()
    project.settle()
    for module in (questions, interpreter):
        monkeypatch.setattr(module, "SETTLED_NS", 10**9)
    finish = interpreter.finish_probe

    def slow(probing: interpreter.Probing, timeout_s: float) -> ProbeAnswer:
        answer = finish(probing, timeout_s)
        time.sleep(1.1)
        return answer

    monkeypatch.setattr("envstage.capture.collect.finish_probe", slow)
    time.sleep(1.1)
    path.touch()
    project.capture()
    assert not project.is_unchanged()


def _told(answer: Answer) -> object:
    """What was found: the second capture of the same says `unchanged` in the end."""
    return answer.code, answer.err, answer.files
