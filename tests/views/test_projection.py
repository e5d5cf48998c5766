"""Which facts a view takes, and how it is predicted."""

from pathlib import Path

import pytest

from envstage.config import Config, Environment, View
from envstage.errors import EnvstageError
from envstage.snapshot.model import Address, Level, Unknown, Value
from envstage.views import document as view_document
from envstage.views.archive import Archived
from envstage.views.document import ViewDocument
from envstage.views.prediction import input_digest, predict
from envstage.views.projection import Projection, check_patterns, project, tolerated_value
from envstage.views.selection import Selection, selection_of

FACTS: dict[Address, Value] = {
    ("python", "version"): "3.11.7",
    ("packages", "numpy", "version"): "1.26.4",
    ("packages", "numpy", "build"): "sha256:aa",
    ("packages", "numpy", "url"): "git+https://example.org/numpy",
    ("packages", "numpy", "source"): "commit:1234567",
    ("packages", "linter", "version"): "1.0",
    ("packages", "checkout", "version"): "0.1",
    ("packages", "checkout", "source"): "sha256:bb",
    ("packages", "pip", "version"): "25.0",
    ("packages", "msgspec", "version"): "0.19",
    ("tooling", "msgspec", "version"): "0.19",
    ("variables", "PYTHONHASHSEED"): "0",
    ("system", "distribution"): "debian 12",
    ("system", "kernel"): "6.1.0",
    ("hardware", "gpu", "driver"): "550.54.15",
}


def taken(
    view: View, level: Level = Level.HARDWARE, selection: Selection | None = None
) -> set[str]:
    facts = project(FACTS, view, level, selection).facts
    return {".".join(address) for address in facts}


def test_wide_takes_what_counts_at_the_level() -> None:
    assert taken(View(name="v"), Level.SOFTWARE) == {
        "python.version",
        "packages.numpy.version",
        "packages.numpy.source",
        "packages.linter.version",
        "packages.checkout.version",
        "packages.checkout.source",
        "variables.PYTHONHASHSEED",
    }


def test_build_speaks_for_the_origin_from_the_platform_level_on() -> None:
    found = taken(View(name="v"), Level.PLATFORM)
    assert "packages.numpy.build" in found
    assert "packages.numpy.source" not in found
    assert "packages.checkout.source" in found


def test_level_of_the_view_is_below_its_environments() -> None:
    assert "system.distribution" not in taken(View(name="v", level=Level.SOFTWARE))
    assert "hardware.gpu.driver" in taken(View(name="v"))


def test_include_and_exclude() -> None:
    view = View(
        name="v",
        include=("system.kernel", "packages.pip", "packages.missing", "tools.samtools"),
        exclude=("packages.linter", "hardware"),
    )
    found = taken(view)
    assert {"system.kernel", "packages.pip.version"} <= found
    assert {"packages.missing", "tools.samtools"} <= found
    assert not {"packages.linter.version", "hardware.gpu.driver"} & found


def test_own_tooling_counts_only_when_named_or_used() -> None:
    assert "packages.msgspec.version" not in taken(View(name="v"))
    assert "packages.msgspec.version" in taken(View(name="v", include=("packages.msgspec",)))
    used = Selection(packages=frozenset({"msgspec"}))
    assert "packages.msgspec.version" in taken(View(name="v"), selection=used)


def test_observed_takes_packages_that_were_used_and_what_nobody_can_see() -> None:
    selection = Selection(packages=frozenset({"numpy", "absent"}))
    assert taken(View(name="v"), selection=selection) == {
        "python.version",
        "packages.numpy.version",
        "packages.numpy.build",
        "packages.absent",
        "variables.PYTHONHASHSEED",
        "system.distribution",
    }


def test_stage_without_python_has_neither_packages_nor_interpreter() -> None:
    selection = Selection(uses_python=False)
    found = taken(View(name="v"), selection=selection)
    assert not {each for each in found if each.startswith(("packages", "python"))}


def test_selection_of_a_view_is_what_it_was_made_by() -> None:
    selection = Selection(packages=frozenset({"numpy", "absent"}), uses_gpu=True)
    document = project(FACTS, View(name="v"), Level.HARDWARE, selection).document
    assert selection_of(document) == selection
    assert selection_of(project(FACTS, View(name="v"), Level.HARDWARE).document) is None


@pytest.mark.parametrize(
    ("value", "tolerance", "expected"),
    [
        ("550.54.15", "major", "550"),
        ("550.54.15", "major.minor", "550.54"),
        ("550.54.15", "exact", "550.54.15"),
        ("1.9", "major.minor", "1.9"),
        ("7", "major.minor", "7"),
        ("main", "major", "main"),
        (None, "major", None),
    ],
)
def test_tolerance_cuts_the_version(value: Value, tolerance: str, expected: Value) -> None:
    assert tolerated_value(value, tolerance) == expected


def test_small_steps_within_a_tolerance_never_add_up_unseen() -> None:
    kept = {
        tolerated_value(f"1.{minor}.{patch}", "major.minor") for minor in (2, 9) for patch in (0, 5)
    }
    assert kept == {"1.2", "1.9"}


def test_ignored_facts_are_left_out_even_if_unknown() -> None:
    facts = dict(FACTS) | {("hardware", "gpu", "driver"): Unknown("hung")}
    view = View(name="v", tolerance=(("hardware.gpu.driver", "ignore"),))
    projection = project(facts, view, Level.HARDWARE)
    assert not projection.unknown
    assert project(facts, View(name="v"), Level.HARDWARE).unknown


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            View(name="v", include=("hardware.gpuu",)),
            r"`hardware\.gpuu` names.*Did you mean",
        ),
        (View(name="v", exclude=("package.black",)), "views.v.exclude"),
        (View(name="v", tolerance=(("nonsense", "major"),)), "views.v.tolerance"),
    ],
)
def test_names_of_no_fact_are_refused(view: View, message: str) -> None:
    with pytest.raises(EnvstageError, match=message):
        check_patterns(Config(source="envstage.yaml", views=(view,)))


def test_where_is_checked_too() -> None:
    environment = Environment(where=(("hardware.gpu.modles", "*"),))
    with pytest.raises(EnvstageError, match=r"environments\.main\.where"):
        check_patterns(Config(source="envstage.yaml", environments=(environment,)))


def projector(facts: dict[Address, Value]) -> "object":
    def call(selection: Selection | None) -> Projection:
        return project(facts, View(name="v"), Level.SOFTWARE, selection)

    return call


def made(names: set[str] | None, facts: dict[Address, Value] | None = None) -> ViewDocument:
    selection = None if names is None else Selection(packages=frozenset(names))
    return project(facts or FACTS, View(name="v"), Level.SOFTWARE, selection).document


def predicted(
    facts: dict[Address, Value], on_disk: ViewDocument | None, *archived: Archived, root: str = "/"
) -> ViewDocument:
    return predict(projector(facts), on_disk, archived, root).document  # type: ignore[arg-type]


UPGRADED = dict(FACTS) | {("packages", "numpy", "version"): "2.0"}


def test_without_history_a_view_is_wide() -> None:
    assert predicted(FACTS, None) == made(None)


def test_view_that_holds_stays() -> None:
    narrow = made({"numpy"})
    assert predicted(FACTS, narrow) == narrow
    other = dict(FACTS) | {("packages", "linter", "version"): "2.0"}
    assert predicted(other, narrow) == narrow


def test_view_that_does_not_hold_keeps_its_selection() -> None:
    assert predicted(UPGRADED, made({"numpy"})) == made({"numpy"}, UPGRADED)


def test_earlier_view_that_holds_comes_back() -> None:
    before, after = made({"numpy"}), made({"numpy", "linter"}, UPGRADED)
    archived = (Archived(view=after, inputs={}), Archived(view=before, inputs={}))
    assert predicted(FACTS, after, *archived) == before


def test_of_several_that_hold_the_one_with_the_same_code(tmp_path: Path) -> None:
    code = tmp_path / "train.py"
    narrow, wider = made({"numpy"}), made({"numpy", "linter"})
    code.write_text("import numpy\n")
    first = Archived(view=narrow, inputs={"train.py": input_digest(str(code))})
    code.write_text("import numpy, linter\n")
    second = Archived(view=wider, inputs={"train.py": input_digest(str(code))})
    assert predicted(FACTS, wider, second, first, root=str(tmp_path)) == wider
    code.write_text("import numpy\n")
    assert predicted(FACTS, wider, second, first, root=str(tmp_path)) == narrow


def test_a_run_in_doubt_stays_wide_as_long_as_its_view_holds() -> None:
    wide, narrow = made(None), made({"numpy"})
    archived = (Archived(view=wide, inputs={}), Archived(view=narrow, inputs={}))
    assert predicted(FACTS, wide, *archived) == wide


def test_document_reads_back() -> None:
    document = made({"numpy"})
    assert view_document.decode(view_document.encode(document), "x") == document
    for data in (
        b"{}",
        b'{"schema": 1}',
        view_document.encode(document).replace(b"observed", b"x"),
    ):
        with pytest.raises(EnvstageError):
            view_document.decode(data, "views/train.json")
