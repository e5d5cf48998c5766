"""Many edits of one text, made together: what comes of it is what one after the other makes."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envstage.errors import EnvstageError
from envstage.pipelines import yaml_batch
from envstage.pipelines.yaml_splice import Edits
from envstage.pipelines.yaml_tree import parse
from envstage.pipelines.yaml_values import Flow
from tests.pipelines.test_yaml_splice import TWO, VALUE, _tree, documents

ENTRY, ITEM, SCALAR, GONE = "add_entry", "append_item", "replace_scalar", "remove"
Edit = tuple[Any, ...]


def together(text: str, *edits: Edit) -> str:
    """All edits of one batch."""
    batch = Edits(text, name="dvc.yaml")
    for edit, *arguments in edits:
        getattr(batch, edit)(*arguments)
    return batch.text()


def one_by_one(text: str, *edits: Edit) -> str:
    """Each edit on the text that those before it have made."""
    for edit in edits:
        text = together(text, edit)
    return text


CASES = [
    pytest.param(
        TWO,
        [
            (ITEM, ("stages", "train", "deps"), "v"),
            (SCALAR, ("stages", "train", "cmd"), "guard python train.py"),
            (ITEM, ("stages", "train", "outs"), "w"),
            (ENTRY, ("stages",), "new", {"cmd": "x"}),
            (ITEM, ("params",), "p"),
        ],
        "# pipeline\nstages:\n  train:   # the model\n    cmd: guard python train.py   # go\n"
        '    deps:\n      - train.py  # code\n      - "data"\n      - v\n    # about outs\n'
        "    outs: [model, 'log', w]\n  new:\n    cmd: x\n\n  # last: something\nparams:\n"
        "  - params.yaml\n  - p\n",
        2,
        id="all-over",
    ),
    pytest.param(
        "a:\n  b:\n    c:\n      - d",
        [(ENTRY, (), "r", 1), (ENTRY, ("a",), "k", 1), (ITEM, ("a", "b", "c"), "e")],
        "a:\n  b:\n    c:\n      - d\n      - e\n  k: 1\nr: 1",
        2,
        id="one-line-ends-several",
    ),
    pytest.param(
        "a: 1\n",
        [(ENTRY, ("views",), f"v{n}", Flow({})) for n in range(3)],
        "a: 1\nviews:\n  v0: {}\n  v1: {}\n  v2: {}\n",
        3,
        id="into-what-is-new",
    ),
    pytest.param(
        "a: {}\nb: []\nc:\n",
        [
            edit
            for n in "xy"
            for edit in (
                (ENTRY, ("a",), n, 1),
                (ITEM, ("b",), n + "s"),
                (ITEM, ("c",), n + "s"),
            )
        ],
        'a: {x: 1, "y": 1}\nb: [xs, ys]\nc:\n  - xs\n  - ys\n',
        3,
        id="into-what-is-empty",
    ),
    pytest.param(
        "views: {a: {}}\n",
        [(ENTRY, ("views",), "b", Flow({"level": "platform"}))],
        "views: {a: {}, b: {level: platform}}\n",
        2,
        id="flow-into-flow",
    ),
    pytest.param(
        "", [(ENTRY, (), "a", 1), (ENTRY, (), "b", 2)], "a: 1\nb: 2\n", 2, id="empty-file"
    ),
    pytest.param(
        "a:\n  - b\n",
        [(ITEM, ("a",), "c"), (ITEM, ("a",), "c")],
        "a:\n  - b\n  - c\n",
        2,
        id="twice",
    ),
    pytest.param(
        "a: [{}]\n",
        [(ENTRY, ("a", 0), "k", 1), (ITEM, ("a",), Flow({}))],
        "a: [{k: 1}, {}]\n",
        3,
        id="equal-to-what-an-item-was",
    ),
    pytest.param(
        "a: [b, c, d]\n",
        [(GONE, ("a", n)) for n in (2, 1, 0)],
        "a: []\n",
        4,
        id="all-items-of-a-flow",
    ),
    pytest.param(
        "c: 1\na:\n  - b\n  - c\n", [(GONE, ("a", n)) for n in (1, 0)], "c: 1\n", 3, id="all-items"
    ),
    pytest.param(
        "a:\n  - b\n  - c\n", [(GONE, ("a", 0)), (GONE, ("a", 0))], "", 3, id="the-first-twice"
    ),
    pytest.param(
        "a:\n  - b\n  - c\n  - d\n",
        [(GONE, ("a", 0)), (GONE, ("a", 1))],
        "a:\n  - c\n",
        3,
        id="the-first-before-the-last",
    ),
    pytest.param(
        "a: [b]\n", [(ITEM, ("a",), "v"), (GONE, ("a", 0))], "a: [v]\n", 3, id="in-its-place"
    ),
    pytest.param(
        "a:\n  - b\n", [(ITEM, ("a",), "v"), (GONE, ("a", 0))], "a:\n  - v\n", 2, id="not-emptied"
    ),
    pytest.param(
        "a:\n  b: 1\nc: 2\n",
        [(SCALAR, ("a", "b"), "x"), (ENTRY, ("a",), "k", 1), (GONE, ("a",))],
        "c: 2\n",
        3,
        id="what-was-edited-goes",
    ),
    pytest.param(
        "a:\n  # about\n  - b\n  # last\n  - c\n",
        [(GONE, ("a", 1)), (ITEM, ("a",), "v")],
        "a:\n  # about\n  - b\n  - v\n  # last\n",
        3,
        id="after-one-that-went",
    ),
    pytest.param(
        "l:\n- x\na:\nb: 1\n",
        [(GONE, ("l",)), (ITEM, ("a",), "v")],
        "a:\n  - v\nb: 1\n",
        3,
        id="as-the-lists-that-are-left",
    ),
    pytest.param(
        "a: x\n",
        [(SCALAR, ("a",), "p x"), (SCALAR, ("a",), "q p x")],
        "a: q p x\n",
        3,
        id="a-scalar-twice",
    ),
    pytest.param(
        "s: {cmd: python x.py, k: 1}\n",
        [(SCALAR, ("s", "cmd"), "run 'a', b"), (ENTRY, ("s",), "o", 1)],
        "s: {cmd: 'run ''a'', b', k: 1, o: 1}\n",
        2,
        id="quotes-in-a-flow",
    ),
    pytest.param(
        "\ufeffa:\r\n  - b\r\nc: 1\r\n",
        [(ITEM, ("a",), "v"), (ENTRY, (), "d", 1)],
        "\ufeffa:\r\n  - b\r\n  - v\r\nc: 1\r\nd: 1\r\n",
        2,
        id="bom-and-crlf",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "edits", "after", "readings"), CASES)
def test_edits_that_are_made_together(
    before: str, edits: list[Edit], after: str, readings: int
) -> None:
    parse.cache_clear()
    yaml_batch._said.cache_clear()
    assert together(before, *edits) == after
    # Once to place them, once to see what came of it; once more where one has to wait.
    assert parse.cache_info().misses == readings
    assert one_by_one(before, *edits) == after


REFUSED = [
    pytest.param(
        "a: &k x\nb: *k\nc: 1\n",
        [(ENTRY, (), "d", 1), (SCALAR, ("a",), "z"), (ENTRY, (), "e", 1)],
        "Add these lines by hand: a: z.",
        id="shared",
    ),
    pytest.param(
        "a: 1\n", [(ENTRY, (), "k", 1), (ENTRY, (), "k", 2)], "`k` is there already", id="key-twice"
    ),
    pytest.param(
        "x: &x 1\ny: *x\n",
        [(ENTRY, (), "k", 1), (GONE, ("x",)), (ENTRY, (), "l", 1)],
        "Remove `x` by hand",
        id="anchor-in-use",
    ),
    pytest.param(
        "a: [b]\nc: 1\n",
        [(ENTRY, (), "k", 1), (SCALAR, ("a",), "x"), (ITEM, ("c",), "y")],
        "`a` is no scalar",
        id="the-first-of-two",
    ),
    pytest.param(
        "a: &k x\nb: *k\nc: 1\n",
        [(SCALAR, ("a",), "z"), (ITEM, ("c",), "y")],
        "by hand: a: z.",
        id="one-that-shows-only-when-it-is-read",
    ),
]


@pytest.mark.parametrize(("before", "edits", "says"), REFUSED)
def test_the_first_edit_that_cannot_be_made_is_the_one_that_is_named(
    before: str, edits: list[Edit], says: str
) -> None:
    for make in (together, one_by_one):
        with pytest.raises(EnvstageError, match=re.escape(says)):
            make(before, *edits)


def test_what_is_there_by_now() -> None:
    edits = Edits("a: 1\n")
    edits.add_entry(("b",), "c", 1)
    assert edits.has(("b", "c"))
    edits.remove(("b", "c"))
    assert not edits.has(("b",))
    assert edits.text() == "a: 1\n"


@st.composite
def edited(draw: Any) -> tuple[str, list[Edit]]:
    """A text, and edits of places that it has."""
    text = draw(documents())
    places = list(_places(_tree(text)))
    plain = [(path, node) for path, node in places if all(isinstance(step, str) for step in path)]
    mappings = [path for path, node in plain if node.kind == "mapping"]
    lists = [path for path, node in plain if node.kind == "sequence" or node.is_null]
    scalars = [(path, node) for path, node in places if node.kind == "scalar"]
    keys = st.sampled_from(["k", "l"])
    kinds = [
        st.tuples(st.just(ENTRY), st.sampled_from(mappings), keys, VALUE),
        st.tuples(
            st.just(ITEM), st.sampled_from([*lists, ("new", "deps"), ("stages", "d")]), VALUE
        ),
        st.tuples(st.just(GONE), st.sampled_from([path for path, _ in places])),
    ]
    if scalars:
        form = st.sampled_from(["p {}", "s '{}'", "a: {}"])
        kinds.append(st.builds(_replacing, st.sampled_from(scalars), form))
    return text, draw(st.lists(st.one_of(kinds), min_size=2, max_size=6))


def _replacing(scalar: Any, form: str) -> Edit:
    path, node = scalar
    core = node.value.rstrip("\n")
    return SCALAR, path, form.format(core) + node.value[len(core) :]


def _places(node: Any, path: Any = ()) -> Any:
    yield from [(path, node)] if path else []
    pairs = [(key.value, value) for key, value in node.entries] or list(enumerate(node.items))
    for step, each in pairs:
        yield from _places(each, (*path, step))


@settings(max_examples=400, deadline=None)
@given(edited())
def test_made_together_is_made_one_after_the_other(given_: Any) -> None:
    text, edits = given_
    try:
        after = one_by_one(text, *edits)
    except EnvstageError as error:
        assert "\n" not in str(error)
        return
    assert together(text, *edits) == after
