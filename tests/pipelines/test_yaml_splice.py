import re
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envstage.errors import EnvstageError
from envstage.pipelines.yaml_splice import add_entry, append_item, remove, replace_scalar
from envstage.pipelines.yaml_tree import parse
from envstage.pipelines.yaml_values import Flow, meaning

TWO = """\
# pipeline
stages:
  train:   # the model
    cmd: python train.py   # go
    deps:
      - train.py  # code
      - "data"
    # about outs
    outs: [model, 'log']

  # last: something
params:
  - params.yaml
"""
FOUR = """\
---
stages:
    train:
        cmd: >-
            python train.py
            --epochs 3
        deps:
        - train.py
        # trailing
    # more
"""

ENTRIES = [
    pytest.param("a: 1\n", (), "a: 1\nk: v\n", id="root"),
    pytest.param("a: 1", (), "a: 1\nk: v", id="no-final-newline"),
    pytest.param("", (), "k: v\n", id="empty-file"),
    pytest.param("# only a comment\n", (), "# only a comment\nk: v\n", id="comment-only"),
    pytest.param("---\n", (), "---\nk: v\n", id="document-start-only"),
    pytest.param("---\na: 1\n...\n", (), "---\na: 1\nk: v\n...\n", id="document-marks"),
    pytest.param("\ufeffa: 1\n", (), "\ufeffa: 1\nk: v\n", id="bom"),
    pytest.param("a: 1\r\n", (), "a: 1\r\nk: v\r\n", id="crlf"),
    pytest.param("a:\n", ("a",), "a:\n  k: v\n", id="null"),
    pytest.param("a: # why\n", ("a",), "a: # why\n  k: v\n", id="null-with-comment"),
    pytest.param("a: ~ # why\n", ("a",), "a: # why\n  k: v\n", id="tilde"),
    pytest.param("a: {}\n", ("a",), "a: {k: v}\n", id="empty-flow"),
    pytest.param("a: {b: 1}\n", ("a",), "a: {b: 1, k: v}\n", id="flow"),
    pytest.param("a: {b: 1,}\n", ("a",), "a: {b: 1, k: v,}\n", id="flow-trailing-comma"),
    pytest.param("{a: {}}\n", ("a",), "{a: {k: v}}\n", id="flow-root"),
    pytest.param("b: 1\n", ("a",), "b: 1\na:\n  k: v\n", id="missing"),
    pytest.param("a:\n   b: 1\n", ("a",), "a:\n   b: 1\n   k: v\n", id="three-spaces"),
    pytest.param("a:\n    b: |\n     x\n\n\nc: 1\n", ("a",),
                 "a:\n    b: |\n     x\n    k: v\n\n\nc: 1\n", id="after-block-scalar"),
    pytest.param("a:\n  b: |+\n    x\n\nc: 1\n", ("a",),
                 "a:\n  b: |+\n    x\n\n  k: v\nc: 1\n", id="after-kept-lines"),
    pytest.param("a:\n  b: &x 1 #\tn\nc: *x\n", ("a",),
                 "a:\n  b: &x 1 #\tn\n  k: v\nc: *x\n", id="anchor-and-tab"),
    pytest.param("ä: ö # ü𝛼\nb: 1\n", (), "ä: ö # ü𝛼\nb: 1\nk: v\n", id="unicode"),
    pytest.param("a: &d\n  b: 1\nc: *d\nd:\n  e: 1\n", ("d",),
                 "a: &d\n  b: 1\nc: *d\nd:\n  e: 1\n  k: v\n", id="beside-alias"),
    pytest.param("x: &x 1\na:\n  b: *x # y\n", ("a",),
                 "x: &x 1\na:\n  b: *x # y\n  k: v\n", id="after-alias"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "path", "after"), ENTRIES)
def test_an_entry_goes_to_the_end_of_its_mapping(before: Any, path: Any, after: Any) -> None:
    assert add_entry(before, path, "k", "v") == after
    assert add_entry(after, path, "k", "v") == after


ITEMS = [
    pytest.param("a:\n  - b\n", "a:\n  - b\n  - v\n", id="indented"),
    pytest.param("a:\n- b\n", "a:\n- b\n- v\n", id="not-indented"),
    pytest.param("a:\n-  b # c\n# d\n", "a:\n-  b # c\n- v\n# d\n", id="comments"),
    pytest.param("a: [b]\n", "a: [b, v]\n", id="flow"),
    pytest.param("a: [ ]\n", "a: [v ]\n", id="empty-flow"),
    pytest.param("a: [\n  b, # c\n]\n", "a: [\n  b, v, # c\n]\n", id="flow-over-lines"),
    pytest.param("a: [\n  b # c\n]\n", "a: [\n  b, v # c\n]\n", id="flow-over-lines-no-comma"),
    pytest.param("a:\n", "a:\n  - v\n", id="null"),
    pytest.param("a: null\n", "a:\n  - v\n", id="written-null"),
    pytest.param("{a: }\n", "{a: [v] }\n", id="null-in-flow"),
    pytest.param("b: 1\n", "b: 1\na:\n  - v\n", id="missing"),
    pytest.param("c:\n- 1\n", "c:\n- 1\na:\n- v\n", id="missing-as-the-others"),
    pytest.param("a:\n  -\n  - b: {c: d}", "a:\n  -\n  - b: {c: d}\n  - v", id="null-item"),
    pytest.param("a:\r\n  - b\r\nc: 1\r\n", "a:\r\n  - b\r\n  - v\r\nc: 1\r\n", id="crlf"),
    pytest.param("a: &l [b]\n", "a: &l [b, v]\n", id="anchor"),
]


@pytest.mark.parametrize(("before", "after"), ITEMS)
def test_an_item_goes_to_the_end_of_its_sequence(before: Any, after: Any) -> None:
    assert append_item(before, ("a",), "v") == after
    assert append_item(after, ("a",), "v") == after


SCALARS = [
    pytest.param("a: x y # c\n", "p x y", "a: p x y # c\n", id="plain-prefix"),
    pytest.param("a: 'x''y' # c\n", "p x'y", "a: 'p x''y' # c\n", id="single-prefix"),
    pytest.param('a: "x\\ty"\n', "p x\ty", 'a: "p x\\ty"\n', id="double-prefix"),
    pytest.param("a: x\n   y\n", "p x y", "a: p x\n   y\n", id="folded-plain"),
    pytest.param("a: |\n  x\n  y\n", "p x\ny\n", "a: |\n  p x\n  y\n", id="literal-prefix"),
    pytest.param("a: >- # c\n    x\n    y\n", "p x y", "a: >- # c\n    p x\n    y\n", id="folded"),
    pytest.param("a: |\n  x\n  y\n", "s 'x\ny'\n", "a: |\n  s 'x\n  y'\n", id="wrapped"),
    pytest.param("a: |\n  x\n", "z\n", "a: |\n  z\n", id="literal"),
    pytest.param("a: >\n  x\n", "z\nw\n", "a: |\n  z\n  w\n", id="folded-to-literal"),
    pytest.param("a: x\n", "p: x", "a: 'p: x'\n", id="needs-quotes"),
    pytest.param("a: x\n", "true", "a: 'true'\n", id="not-a-boolean"),
    pytest.param("a: [x]\n", "x, y", None, id="no-scalar"),
    pytest.param("a: &k x\n", "z", "a: &k z\n", id="anchored"),
    pytest.param("a: &k x\nb: *k\n", "z", None, id="shared"),
    pytest.param("a: x", "multi\nline", 'a: "multi\\nline"', id="lines"),
]


@pytest.mark.parametrize(("before", "value", "after"), SCALARS)
def test_a_scalar_is_replaced_in_its_own_style(before: Any, value: Any, after: Any) -> None:
    if after is None:
        with pytest.raises(EnvstageError, match="by hand"):
            replace_scalar(before, ("a",), value)
    else:
        assert replace_scalar(before, ("a",), value) == after
        assert replace_scalar(after, ("a",), value) == after


REMOVALS = [
    pytest.param("a: 1\nb: 2 # c\n# d\n", ("b",), "a: 1\n# d\n", id="entry"),
    pytest.param("a:\n  - b\n", ("a", 0), "", id="emptied"),
    pytest.param("c: 1\na:\n  - b\n", ("a", 0), "c: 1\n", id="pruned"),
    pytest.param("a: [b]\n", ("a", 0), "a: []\n", id="flow-emptied"),
    pytest.param("a: [b, c]\n", ("a", 0), "a: [c]\n", id="flow-first"),
    pytest.param("a: [b, c]\n", ("a", 1), "a: [b]\n", id="flow-last"),
    pytest.param("a: [\n  b, # x\n  c\n]\n", ("a", 1), "a: [\n  b, # x\n]\n", id="flow-line"),
    pytest.param("a: {b: 1, c: 2}\n", ("a", "c"), "a: {b: 1}\n", id="flow-entry"),
    pytest.param("a: 1\nb: 2", ("b",), "a: 1", id="no-final-newline"),
    pytest.param("a: 1\r\nb: 2", ("b",), "a: 1", id="crlf-no-final-newline"),
    pytest.param("a: 1\n", ("b",), "a: 1\n", id="not-there"),
    pytest.param("- a: 1\n  b: 2\n", (0, "a"), None, id="first-of-an-item"),
    pytest.param("x: &x 1\ny: *x\n", ("x",), None, id="anchor-in-use"),
]


@pytest.mark.parametrize(("before", "path", "after"), REMOVALS)
def test_what_is_removed_takes_only_its_own_lines(before: Any, path: Any, after: Any) -> None:
    if after is None:
        with pytest.raises(EnvstageError, match="by hand"):
            remove(before, path)
    else:
        assert remove(before, path) == after


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: &a {x: 1}\nb: *a\n", ("b",)),
        ("a: &a\n  x: 1\nb: *a\n", ("a",)),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", ("b",)),
        ("? a\n: 1\n", ("a",)),
        ("a: text\n", ("a",)),
        ("- a\n", ()),
    ],
)
def test_what_is_shared_or_odd_is_left_to_its_owner(text: Any, path: Any) -> None:
    with pytest.raises(EnvstageError, match="by hand: "):
        add_entry(text, path, "k", "v", name="dvc.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [\n", "is not YAML"),
        ("a: 1\na: 2\n", "`a` is written twice"),
        ("a: 1\n---\nb: 1\n", "several documents"),
        ("a: \x00\n", "is not YAML"),
        ("[" * 200 + "]" * 200, "nested too deeply"),
        ("a: &a [x, x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [" + ", ".join([f"*{chr(97 + i)}"] * 9) + "]\n"
            for i in range(9)), "expand without measure"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_one_line(text: Any, says: Any) -> None:
    with pytest.raises(EnvstageError, match=re.escape(says)) as caught:
        add_entry(text, (), "k", "v", name="dvc.yaml")
    assert "\n" not in str(caught.value)


def test_another_value_under_the_key_is_not_overwritten() -> None:
    with pytest.raises(EnvstageError, match="`a` is there already"):
        add_entry("a: 1\n", (), "a", 2)


def test_nested_values_take_the_indentation_of_the_file() -> None:
    stage = {"cmd": "x", "outs": ({"a": Flow({"cache": False})}, "b")}
    assert add_entry(FOUR, ("stages",), "new", stage) == FOUR.replace(
        "        # trailing\n",
        "    new:\n        cmd: x\n        outs:\n        - a: {cache: false}\n        - b\n"
        "        # trailing\n",
    )
    assert add_entry(TWO, ("stages",), "new", stage) == TWO.replace(
        "'log']\n",
        "'log']\n  new:\n    cmd: x\n    outs:\n      - a: {cache: false}\n      - b\n",
    )


# -- properties ----------------------------------------------------------------------------------

WORD = st.text(string.ascii_lowercase, min_size=1, max_size=6).map(lambda word: "w" + word)
COMMENT = st.sampled_from(["", "", " # why", "  #\ttab", " # ü: [x"])
SCALAR = st.one_of(
    WORD,
    WORD.map(lambda word: f"'{word}'"),
    WORD.map(lambda word: f'"{word} \\t"'),
    st.sampled_from(["1", "true", "", "~", "${x}", "a b", "{}", "[]", "[a, b]", "{a: b, c: }"]),
)


@st.composite
def documents(draw: Any) -> str:
    """A YAML text with a mapping `stages`, in many hands."""
    unit = draw(st.sampled_from([2, 3, 4]))
    dash = draw(st.sampled_from([0, 2, unit]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines = draw(st.sampled_from([[], ["---"], ["# head", ""], ["---", "# é"]]))

    def block(indent: int, depth: int) -> list[str]:
        written: list[str] = []
        for key in draw(st.lists(WORD, min_size=1, max_size=3, unique=True)):
            if draw(st.booleans()):
                written.append(draw(st.sampled_from(["", " " * indent + "# c", "# left"])))
            kind = draw(st.sampled_from(["scalar", "list", "text", "map"][: 4 if depth else 3]))
            head = " " * indent + key + ":"
            if kind == "map":
                written += [head + draw(COMMENT), *block(indent + unit, depth - 1)]
            elif kind == "list":
                written.append(head + draw(COMMENT))
                for item in draw(st.lists(SCALAR, min_size=1, max_size=3)):
                    written.append(f"{' ' * (indent + dash)}- {item}{draw(COMMENT)}")
            elif kind == "text":
                mark = draw(st.sampled_from(["|", ">", "|-", ">+", "|+"]))
                written += [f"{head} {mark}", " " * (indent + unit) + "some # text", ""]
            else:
                written.append(f"{head} {draw(SCALAR)}{draw(COMMENT)}")
        return written

    lines = [*lines, *block(0, 0), "stages:", *block(unit, 2), *draw(
        st.sampled_from([[], ["# end"], ["", "  # deep end"], ["zzz: 1"]])
    )]  # fmt: skip
    end: str = draw(st.sampled_from(["", newline, newline * 2]))
    return str(newline.join(lines) + end)


VALUE = st.sampled_from(
    ["text", 1, True, Flow({"a": False}), ("x", {"y": Flow({"cache": False})}), {"cmd": "a b"}]
)


def _kept(before: str, after: str) -> bool:
    """Whether `after` is `before` with one piece of text put in."""
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    return after.endswith(before[head:]) and len(after) >= len(before)


def _edit(edit: Callable[[], str]) -> str | None:
    try:
        return edit()
    except EnvstageError as error:
        # A last line such as `|+` at the end of a file cannot be followed without changing it.
        assert "by hand" in str(error)
        return None


@settings(max_examples=200, deadline=None)
@given(documents(), VALUE)
def test_an_added_entry_disturbs_nothing_and_goes_without_a_trace(text: Any, value: Any) -> None:
    after = _edit(lambda: add_entry(text, ("stages",), "new", value))
    if after is not None:
        assert _kept(text, after)
        assert add_entry(after, ("stages",), "new", value) == after
        assert remove(after, ("stages", "new")) == text


@settings(max_examples=200, deadline=None)
@given(documents(), VALUE, st.data())
def test_an_appended_item_disturbs_nothing_and_goes_without_a_trace(
    text: Any, value: Any, data: Any
) -> None:
    root = _tree(text)
    keys = [key.value for key, each in root.at(("stages",)).entries if each.kind == "sequence"]
    key = data.draw(st.sampled_from([*keys, "missing"]))
    after = _edit(lambda: append_item(text, ("stages", key), value))
    if after is not None and after != text:
        assert _kept(text, after)
        assert append_item(after, ("stages", key), value) == after
        there = _tree(after).at(("stages", key))
        assert remove(after, ("stages", key, len(there.items) - 1)) == text


@settings(max_examples=300, deadline=None)
@given(documents(), st.sampled_from(["p {}", "s '{}'", "a: {}", "{} # x", "é\n{}"]), st.data())
def test_a_replaced_scalar_says_what_was_asked_and_comes_back(
    text: Any, form: Any, data: Any
) -> None:
    scalars = _scalars(_tree(text))
    assume(scalars)
    path, node = data.draw(st.sampled_from(scalars))
    tail = "\n" * (len(node.value) - len(node.value.rstrip("\n")))
    value = form.format(node.value.rstrip("\n")) + tail
    after = _edit(lambda: replace_scalar(text, path, value))
    if after is None:
        return
    assert _tree(after).at(path).value == value
    assert replace_scalar(after, path, value) == after
    back = replace_scalar(after, path, node.value)
    assert _tree(back).at(path).value == node.value
    if form == "p {}" and meaning(node)[0] == "text":
        assert _kept(text, after)
        assert back == text


def _tree(text: str) -> Any:
    return parse(text, name="t")


def _scalars(node: Any, path: Any = ()) -> list[Any]:
    pairs = [(key.value, value) for key, value in node.entries] or list(enumerate(node.items))
    found = [((*path, step), each) for step, each in pairs if each.kind == "scalar"]
    for step, each in pairs:
        found += _scalars(each, (*path, step))
    return found


def test_a_tree_knows_the_text_of_its_nodes() -> None:
    root = _tree(TWO)
    train = root.at(("stages", "train"))
    assert TWO[train.start : train.end].startswith("cmd: python")
    assert TWO[train.start : train.end].endswith("'log']")
