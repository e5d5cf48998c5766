"""The document: canonical bytes, reading back, damage, schemas."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envstage.errors import EnvstageError
from envstage.snapshot.canonical import canonical, fingerprint, flat, nested
from envstage.snapshot.document import decode, encode, snapshot_fingerprint
from envstage.snapshot.model import Level, NotApplicable, Snapshot, Unknown, covers

NAMES = st.text("abcdefghijklmnop-0123456789", min_size=1, max_size=8)
# Also lone surrogates: a file's name that is no UTF-8.
TEXTS = st.text(st.characters(), max_size=20)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    TEXTS,
    st.lists(TEXTS, max_size=4).map(tuple),
    TEXTS.map(Unknown),
    TEXTS.map(NotApplicable),
)
FACTS = st.dictionaries(
    st.tuples(st.sampled_from(("python", "packages", "system")), NAMES, NAMES), VALUES, max_size=12
)


def snapshot(**facts: str) -> Snapshot:
    return Snapshot(
        environment="main",
        level=Level.PLATFORM,
        facts={("packages", name, "version"): version for name, version in facts.items()},
        anomalies=("something odd",),
    )


@given(FACTS)
def test_decode_after_encode_is_the_identity(facts: dict[tuple[str, ...], object]) -> None:
    made = Snapshot(environment="main", level=Level.SOFTWARE, facts=facts)  # type: ignore[arg-type]
    assert decode(encode(made), "x") == made


@given(FACTS, st.randoms())
def test_order_never_changes_the_bytes(
    facts: dict[tuple[str, ...], object], random: object
) -> None:
    items = list(facts.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    one = Snapshot(environment="main", level=Level.SOFTWARE, facts=facts)  # type: ignore[arg-type]
    two = Snapshot(environment="main", level=Level.SOFTWARE, facts=dict(items))  # type: ignore[arg-type]
    assert encode(one) == encode(two)


@given(FACTS)
def test_flat_after_nested_is_the_identity(facts: dict[tuple[str, ...], object]) -> None:
    assert flat(nested(facts)) == facts  # type: ignore[arg-type]


def test_bytes_are_ascii_sorted_and_end_with_a_newline() -> None:
    data = canonical({"b": "ü\x1b[31m", "a": 1})
    assert data == b'{\n  "a": 1,\n  "b": "\\u00fc\\u001b[31m"\n}\n'


def test_fingerprints_are_no_numbers_for_yaml() -> None:
    assert fingerprint("e", {}).startswith("e-")
    assert len(fingerprint("v", {})) == 66


def test_any_edit_is_found_out() -> None:
    data = encode(snapshot(numpy="1.26.4"))
    with pytest.raises(EnvstageError, match="is not what its fingerprint says"):
        decode(data.replace(b"1.26.4", b"1.26.5"), "environment.json")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"schema": "1"}', b"\xff\xfe", b"1e9"]
)
def test_garbage_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(EnvstageError) as caught:
        decode(data, "environment/environment.json")
    assert str(caught.value).startswith("environment/environment.json: ")
    assert "\n" not in str(caught.value)


def test_missing_and_torn_parts_are_refused() -> None:
    document = json.loads(encode(snapshot(numpy="1")))
    for key in ("environment", "level", "facts"):
        broken = {name: value for name, value in document.items() if name != key}
        with pytest.raises(EnvstageError, match="is no snapshot"):
            decode(canonical(broken), "x")
    document["facts"] = {"packages": [{"no": "fact"}]}
    with pytest.raises(EnvstageError, match="is no snapshot"):
        decode(canonical(document), "x")


def test_newer_schema_says_to_upgrade() -> None:
    document = json.loads(encode(snapshot(numpy="1")))
    document["schema"] = 2
    with pytest.raises(EnvstageError, match=r"of schema 2, this envstage knows 1\. Upgrade"):
        decode(canonical(document), "x")


def test_frozen_schema_1() -> None:
    """These bytes and this fingerprint may never change: results are stored under them."""
    made = Snapshot(
        environment="main",
        level=Level.PLATFORM,
        facts={
            ("python", "version"): "3.11.7",
            ("packages", "numpy", "version"): "1.26.4",
            ("packages", "numpy", "build"): "sha256:00",
            ("hardware", "gpu", "driver"): Unknown("NVML did not answer"),
            ("system", "libc"): NotApplicable("not Linux"),
            ("system", "container", "image"): None,
        },
    )
    digest = "e-d278eae8f5445fcaa70d76832401b6eab99e2839bbede7673d8d20e5dd35dda6"
    assert snapshot_fingerprint(made) == digest
    assert json.loads(encode(made))["fingerprint"] == digest


@pytest.mark.parametrize(
    ("pattern", "address", "expected"),
    [
        ("packages.numpy", ("packages", "numpy", "version"), True),
        ("packages.numpy.version", ("packages", "numpy", "version"), True),
        ("packages.num", ("packages", "numpy", "version"), False),
        ("packages.nvidia-*", ("packages", "nvidia-cudnn-cu12", "version"), True),
        ("packages", ("packages", "numpy", "version"), True),
        ("system.packages.python3.11", ("system", "packages", "python3.11"), True),
        ("tools", ("packages", "tools"), False),
    ],
)
def test_patterns_cover_facts_and_groups(
    pattern: str, address: tuple[str, ...], expected: bool
) -> None:
    assert covers(pattern, address) is expected
