"""Reports are read as they are: torn, strange, too large, of several processes."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envstage.observer import events
from envstage.observer.events import Report, parse, unescape
from envstage.observer.observation import HOOK, combine, environ_for, observe
from envstage.observer.report import escape

START = "start\t1\t{pid}-a\t{pid}\t0\texec\t\t/bin/python\t/usr\t3.11.2\ttrain.py\n"


def report(pid: int, text: str, is_ended: bool = True) -> Report:
    return parse(f"{pid}-a.events", START.format(pid=pid) + text + ("end\n" if is_ended else ""))


@given(st.text())
def test_fields_survive(text: str) -> None:
    line = escape(text)
    assert "\n" not in line and "\t" not in line
    assert unescape(line) == text


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    combine([parse("1-a.events", text)])


@given(st.text(alphabet="starendmoule\t\n\\1-a", max_size=60))
def test_order_of_reports_changes_nothing(text: str) -> None:
    reports = [report(1, "module\t/a.py\n"), report(2, "missing\tx\n"), parse("3-a.events", text)]
    assert combine(reports) == combine(reports[::-1])


def test_union_of_processes() -> None:
    seen = combine(
        [report(1, "module\t/a.py\nmissing\tx\n"), report(2, "module\t/b.py\ngpu\tlibcuda.so.1\n")]
    )
    assert seen.files == ("/a.py", "/b.py")
    assert seen.missing == ("x",)
    assert seen.uses_gpu
    assert seen.is_complete


def test_torn_end_is_no_end() -> None:
    seen = combine([parse("1-a.events", START.format(pid=1) + "module\t/a.py\nen")])
    assert seen.files == ("/a.py",)
    assert seen.doubts == ("process 1 (train.py): it did not report its end",)


@pytest.mark.parametrize(
    "text",
    ["garbage\n", "module\n", "module\ta\tb\n", "\n", "\x00\x00\n", "incomplete\twhy\n"],
)
def test_strange_lines_are_doubts(text: str) -> None:
    assert not combine([report(1, text)]).is_complete


def test_empty_and_headless_reports_are_doubts() -> None:
    assert combine([parse("1-a.events", "")]).doubts == ("a report is empty",)
    assert not combine([parse("1-a.events", "end\n")]).is_complete


def test_other_format_is_a_doubt() -> None:
    text = START.format(pid=1).replace("start\t1", "start\t2") + "end\n"
    assert "another version" in combine([parse("1-a.events", text)]).doubts[0]


def test_python_too_old_is_a_doubt() -> None:
    seen = combine([parse("1-unsupported.events", "unsupported\t2.7\n")])
    assert seen.doubts == ("a Python 2.7 was started, which cannot be observed",)


def test_unreported_children_are_doubts() -> None:
    assert not combine([report(1, "spawn\tpython\tpython\n")]).is_complete
    assert not combine([report(1, "fork\n")]).is_complete
    assert not combine([report(1, "exec\tpython\tpython\n", is_ended=False)]).is_complete
    assert combine([report(1, "exec\ttrue\t\n", is_ended=False)]).is_complete


def test_failed_exec_needs_an_end() -> None:
    seen = combine([report(1, "exec\ttrue\t\nmodule\t/a.py\n", is_ended=False)])
    assert not seen.is_complete


def test_stopped_before_it_began_is_no_doubt() -> None:
    assert combine([report(1, "fork\nstopped\t7\n")]).is_complete


def test_too_large_is_a_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "REPORT_LIMIT_BYTES", 10)
    (tmp_path / "1-a.events").write_text(START.format(pid=1) + "end\n")
    assert observe(str(tmp_path)).doubts == ("a report is too large",)


def test_absent_folder_is_a_doubt(tmp_path: Path) -> None:
    assert not observe(str(tmp_path / "absent")).is_complete


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, HOOK),
        ("", HOOK),
        ("a:b", f"{HOOK}:a:b"),
        (":a", f"{HOOK}::a"),
        (f"{HOOK}:a", f"{HOOK}:a"),
        (HOOK, HOOK),
    ],
)
def test_environ(before: str | None, after: str, tmp_path: Path) -> None:
    environ = {"X": "1"} if before is None else {"X": "1", "PYTHONPATH": before}
    result = environ_for(str(tmp_path), environ)
    assert result == {"X": "1", "PYTHONPATH": after, "ENVSTAGE_OBSERVE": os.path.abspath(tmp_path)}
