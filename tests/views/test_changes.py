"""What the environment did, told from what the code did."""

from envstage.snapshot.model import Address, Level, Value
from envstage.views.changes import changes
from envstage.views.document import OBSERVED, WIDE, ViewDocument


def view(facts: dict[Address, Value], selection: str = OBSERVED) -> ViewDocument:
    return ViewDocument(level=Level.PLATFORM, selection=selection, facts=facts)


JOBLIB: dict[Address, Value] = {("packages", "joblib", "version"): "1.6.0"}
TABULATE: dict[Address, Value] = {("packages", "tabulate", "version"): "0.10.0"}


def test_a_package_that_the_code_begins_to_use_is_no_change_of_the_environment() -> None:
    found = changes(view(JOBLIB), view(JOBLIB | TABULATE))
    assert not found.environment
    assert found.begun == ("packages.tabulate",)
    assert changes(view(JOBLIB | TABULATE), view(JOBLIB)).ceased == ("packages.tabulate",)


def test_a_real_change_is_told_beside_what_follows_from_it() -> None:
    older: dict[Address, Value] = {("packages", "joblib", "version"): "1.5.1"}
    found = changes(view(JOBLIB | TABULATE), view(older))
    assert [each.address for each in found.environment] == [("packages", "joblib", "version")]
    assert found.ceased == ("packages.tabulate",)


def test_between_wide_views_everything_is_the_environment() -> None:
    found = changes(view(JOBLIB, WIDE), view(JOBLIB | TABULATE, WIDE))
    assert not found.begun
    assert [each.new for each in found.environment] == ["0.10.0"]


def test_narrowing_is_use_and_a_newly_installed_package_is_not() -> None:
    assert changes(view(JOBLIB | TABULATE, WIDE), view(JOBLIB)).ceased == ("packages.tabulate",)
    assert changes(view(JOBLIB, WIDE), view(JOBLIB | TABULATE)).environment


def test_a_name_looked_up_in_vain_that_is_there_now_is_the_environment() -> None:
    before = JOBLIB | {("modules", "tabulate"): None}
    found = changes(view(before), view(JOBLIB | TABULATE))
    assert [each.address for each in found.environment] == [("packages", "tabulate", "version")]


def test_a_variable_that_is_set_is_the_environment() -> None:
    after = JOBLIB | {("variables", "PYTHONHASHSEED"): "1"}
    assert changes(view(JOBLIB), view(after)).environment
