"""The laws of comparing, for any two documents."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from envstage.compare.changes import changes
from envstage.compare.report import ordered
from envstage.compare.sides import Comparison, Coverage, Side, compare
from envstage.compare.versions import Direction, step
from envstage.snapshot.model import Address, Level, NotApplicable, Unknown, Value
from tests.compare.samples import NEW, OLD, freeze, mirrored, side

_NAMES = st.sampled_from(["numpy", "torch", "a", "b-c", "pip", "archspec"])
_ADDRESSES = st.one_of(
    st.tuples(st.just("packages"), _NAMES, st.sampled_from(["version", "build", "url", "tags"])),
    st.tuples(st.just("conda"), _NAMES, st.sampled_from(["version", "build"])),
    st.tuples(st.just("packages"), _NAMES),
    st.sampled_from([("python", "version"), ("hardware", "gpu", "driver"), ("system", "kernel")]),
    st.tuples(st.just("modules"), _NAMES),
)
_VALUES: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from(["1.0", "1.0+cu1", "2.0", "1.0.1", "no version", "", "x" * 70]),
    st.none(),
    st.booleans(),
    st.integers(0, 9),
    st.just(("a", "b")),
    st.builds(Unknown, st.sampled_from(["no answer", "denied"])),
    st.just(NotApplicable("no GPU")),
)
_FACTS = st.dictionaries(_ADDRESSES, _VALUES, max_size=12)
_COVERAGES = st.one_of(
    st.none(),
    st.builds(
        Coverage,
        complete=st.frozensets(st.sampled_from(["packages", "conda"])),
        unlisted=st.frozensets(_NAMES),
        prefixes=st.frozensets(_ADDRESSES, max_size=3),
    ),
)
_SIDES = st.builds(
    Side, label=st.just("a"), level=st.sampled_from(list(Level)), facts=_FACTS, coverage=_COVERAGES
)


@given(_SIDES)
def test_the_same_is_no_difference(one: Side) -> None:
    found = compare(one, one)
    assert found == Comparison(differences=())


@given(_SIDES, _SIDES)
def test_swapping_the_sides_mirrors_the_result(one: Side, other: Side) -> None:
    there, back = compare(one, other), compare(other, one)
    assert mirrored(there.differences) == {
        (each.address, each.kind.value, each.old, each.new) for each in back.differences
    }
    swap = {"a": "b", "b": "a"}
    assert [(each.pattern, swap[each.lacking], each.addresses) for each in there.silences] == [
        (each.pattern, each.lacking, each.addresses) for each in back.silences
    ]
    forward = {each.subject: each for each in changes(there.differences)}
    for change in changes(back.differences):
        assert change.severity == forward[change.subject].severity


@given(_SIDES, _SIDES, st.randoms())
def test_the_order_of_the_facts_changes_nothing(one: Side, other: Side, random: object) -> None:
    def shuffled(facts: Mapping[Address, Value]) -> dict[Address, Value]:
        items = list(facts.items())
        random.shuffle(items)  # type: ignore[attr-defined]
        return dict(items)

    mixed = [
        Side(label="a", level=each.level, facts=shuffled(each.facts), coverage=each.coverage)
        for each in (one, other)
    ]
    found = compare(one, other)
    assert compare(*mixed) == found
    assert ordered(changes(compare(*mixed).differences)) == ordered(changes(found.differences))


@given(st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,3}(\+[a-z]{1,3})?", fullmatch=True),
       st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,3}(\+[a-z]{1,3})?", fullmatch=True))  # fmt: skip
def test_steps_mirror(old: str, new: str) -> None:
    there, back = step(old, new), step(new, old)
    if there is None or back is None:
        assert there is back
        return
    assert there.severity is back.severity
    opposite = {Direction.UPGRADE: Direction.DOWNGRADE, Direction.DOWNGRADE: Direction.UPGRADE}
    assert opposite.get(there.direction, there.direction) is back.direction


def test_what_a_list_does_not_tell_is_no_difference() -> None:
    found = compare(freeze(OLD), side(OLD, "snapshot"))
    assert found.differences == ()
    assert {each.lacking for each in found.silences} == {"a"}
    kinds = {each.pattern for each in found.silences}
    assert {"packages.*.build", "python.version", "hardware.gpu.driver"} <= kinds


def test_a_complete_list_says_what_is_absent() -> None:
    found = compare(freeze(OLD), side(NEW, "snapshot"))
    kinds = {each.address[1]: each.kind.value for each in found.differences}
    assert kinds == {
        "torch": "changed",
        "numpy": "changed",
        "pandas": "changed",
        "apex": "removed",
        "xformers": "added",
    }


def test_what_only_envstage_needs_is_not_removed_where_a_list_names_it() -> None:
    # `pip freeze > requirements.txt; envstage diff requirements.txt now`
    archspec: Address = ("packages", "archspec", "version")
    found = compare(freeze(OLD | {archspec: "0.2.5"}), side(OLD, "snapshot"))
    assert found.differences == ()
    assert [each.lacking for each in found.silences if archspec in each.addresses] == ["b"]
    # Where the snapshot has it, something else needs it: then it is compared.
    counted = side(OLD | {archspec: "0.2.6"}, "snapshot")
    assert [
        each.address for each in compare(freeze(OLD | {archspec: "0.2.5"}), counted).differences
    ] == [archspec]
    assert [each.address for each in compare(side(OLD), counted).differences] == [archspec]


def test_a_level_that_a_side_did_not_look_at() -> None:
    low = side({("python", "version"): "3.11.8"}, level=Level.SOFTWARE)
    found = compare(low, side(OLD | {("python", "version"): "3.11.8"}))
    assert not any(each.address[0] in ("hardware", "system") for each in found.differences)
    assert any(each.pattern == "hardware.gpu.driver" for each in found.silences)


def test_a_prefix_agrees_with_what_it_begins() -> None:
    address = ("python", "version")
    spec = Side(
        label="environment.yml",
        level=Level.HARDWARE,
        facts={address: "3.1"},
        coverage=Coverage(prefixes=frozenset({address})),
    )
    assert not compare(spec, side({address: "3.1.4"})).differences
    assert compare(spec, side({address: "3.11"})).differences


def test_conda_against_an_environment_without_conda() -> None:
    conda = Side(
        label="environment.yml",
        level=Level.HARDWARE,
        facts={("conda", "numpy", "version"): "1.26.4", ("conda", "libblas", "version"): "3.9"},
        coverage=Coverage(complete=frozenset({"conda"})),
    )
    found = compare(conda, side({("packages", "numpy", "version"): "1.26.3"}))
    assert [each.address for each in found.differences] == [("packages", "numpy", "version")]
