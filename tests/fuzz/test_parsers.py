"""Hostile input: every parser says no in one line, or reads it; nothing else ever happens."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import NASTY, SEEDS
from tests.fuzz.targets import TARGETS

EXAMPLES = 25


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("target", TARGETS)
def test_what_broke_parsers_elsewhere(target: str, name: str) -> None:
    TARGETS[target](NASTY[name])


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ("version", "$unknown", "url", "packages", "../x", "\ud800", "1.0", "sha256:" + "a" * 64)
    )
)
_NAMES = st.text() | st.sampled_from(
    "packages python system hardware version build url commit source facts schema stages deps "
    "metadata installed distributions name views environments".split()
)
DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A well-formed input with some of its bytes changed, left out or repeated."""
    data = bytearray(draw(st.sampled_from((*SEEDS, *NASTY.values())))[:2_000])
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8))
        data[place : place + length] = draw(st.binary(max_size=8))
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=EXAMPLES)
@given(data=st.binary() | st.text().map(lambda text: text.encode()) | DOCUMENTS | changed())
@example(data=b"")
def test_any_bytes(target: str, data: bytes) -> None:
    TARGETS[target](data)
