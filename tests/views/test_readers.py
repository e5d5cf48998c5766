"""What a view takes of the facts of a capture."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from envstage.config import View
from envstage.facets import numerics
from envstage.facets.imports import Names
from envstage.facets.origin import OWN
from envstage.facets.readers import readers_of
from envstage.snapshot.model import Address, Level, Value
from envstage.views.document import ViewDocument
from envstage.views.projection import project
from envstage.views.selection import Selection, selection_of
from envstage.world import Machine
from tests.facets.requests import probe
from tests.hosts import host

VARIABLES = ("PYTHONHASHSEED", "GLIBC_TUNABLES", "CUBLAS_WORKSPACE_CONFIG", "KERAS_BACKEND")
PYTHON: dict[Address, Value] = {("python", "version"): "3.11.2"}


def names() -> Names:
    return Names(host("debian-12"), "/project", probe())


def viewed(
    facts: Mapping[Address, Value], selection: Selection | None, level: Level = Level.HARDWARE
) -> ViewDocument:
    return project(facts, View(name="train"), level, selection, names()).document


def variables_in(selection: Selection | None, *watched: str) -> set[str]:
    facts: dict[Address, Value] = {("variables", name): "1" for name in VARIABLES}
    facts |= {("watched", name): True for name in watched}
    return {each[1] for each in viewed(facts, selection).facts if each[0] == "variables"}


def test_a_wide_view_has_every_variable() -> None:
    assert variables_in(None) == {*VARIABLES}


def test_a_variable_counts_for_runs_that_used_its_reader() -> None:
    assert variables_in(Selection()) == {"PYTHONHASHSEED", "GLIBC_TUNABLES"}
    gpu = {"PYTHONHASHSEED", "GLIBC_TUNABLES", "CUBLAS_WORKSPACE_CONFIG"}
    assert variables_in(Selection(uses_gpu=True)) == gpu
    keras = {"PYTHONHASHSEED", "GLIBC_TUNABLES", "KERAS_BACKEND"}
    assert variables_in(Selection(packages=frozenset({"keras"}))) == keras
    assert variables_in(Selection(modules=frozenset({"keras.loose"}))) == keras


def test_programs_may_read_any_variable_but_pythons() -> None:
    assert variables_in(Selection(uses_programs=True)) == {*VARIABLES}
    no_python = Selection(uses_python=False, uses_programs=True)
    assert variables_in(no_python) == {*VARIABLES} - {"PYTHONHASHSEED"}


def test_a_watched_variable_always_counts() -> None:
    assert "KERAS_BACKEND" in variables_in(Selection(), "KERAS_BACKEND")


def test_tools_count_for_runs_that_started_programs() -> None:
    facts: dict[Address, Value] = {("tools", "samtools", "version"): "1.0"}
    assert viewed(facts, Selection()).facts == {}
    assert ("tools", "samtools", "version") in viewed(facts, Selection(uses_programs=True)).facts


@pytest.mark.parametrize("level", [Level.SOFTWARE, Level.HARDWARE])
@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(uses_gpu=True),
        Selection(uses_programs=True),
        Selection(uses_programs=True, uses_gpu=True),
        Selection(uses_python=False, uses_programs=True, uses_gpu=True),
    ],
)
def test_a_view_alone_tells_its_selection(selection: Selection, level: Level) -> None:
    assert selection_of(viewed(PYTHON, selection, level)) == selection


def test_the_projects_own_package_is_code() -> None:
    own: dict[Address, Value] = {
        ("packages", "mine", "version"): "1.0.dev7",
        ("packages", "mine", "metadata"): "sha256:7",
        ("packages", "mine", "editable"): ".",
        ("packages", "mine", "note"): OWN,
    }
    later = own | {
        ("packages", "mine", "version"): "1.0.dev8",
        ("packages", "mine", "metadata"): "sha256:8",
    }
    copied = {("packages", "mine", "version"): "1.0.dev7"}
    for selection in (
        None,
        Selection(packages=frozenset({"mine"}), metadata=frozenset({"mine"})),
    ):
        view = viewed(PYTHON | own, selection)
        assert view == viewed(PYTHON | later, selection)
        assert view != viewed(PYTHON | copied, selection)
        if selection is not None:
            again = selection_of(view)
            assert again is not None
            assert viewed(PYTHON | copied, again) != viewed(PYTHON | own, again)


@pytest.mark.parametrize("variable", [each.name for each in numerics.DEFAULTS])
def test_readers_are_names(variable: str) -> None:
    assert all(name.isidentifier() for name in readers_of(variable))


def test_modules_that_shadow_the_standard_library_are_of_no_concern_without_python(
    tmp_path: Path,
) -> None:
    (tmp_path / "colorsys.py").write_text("")
    answer = msgspec.structs.replace(probe(), path=(str(tmp_path), "/usr/lib/python3.11"))
    shadowed = Names(Machine(), "/project", answer)
    view = View(name="train")
    with_python = project(PYTHON, view, Level.PLATFORM, Selection(), shadowed)
    assert ("modules", "colorsys") in with_python.facts
    selection = Selection(uses_python=False)
    assert project({}, view, Level.PLATFORM, selection, shadowed).facts == {}
