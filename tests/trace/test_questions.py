"""Each question has another answer where anything that it is about is otherwise."""

import errno
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from envstage.capture.recording import Recording
from envstage.trace import questions, verify
from envstage.trace.document import Trace

LOOK = {
    **{"st_dev": 1, "st_ino": 2, "st_mode": 0o100644, "st_size": 3},
    **{"st_mtime_ns": 10**18, "st_ctime_ns": 10**18},
}
NOW_NS = 2 * 10**18


def _identity(monkeypatch: pytest.MonkeyPatch, **other: int) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", lambda _: SimpleNamespace(**LOOK | other))
        return questions.identity("/x", NOW_NS)


@pytest.mark.parametrize("part", LOOK)
def test_every_part_of_an_identity_tells(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """On a disk whose entries have no time of their own, the others have to."""
    assert _identity(monkeypatch) != _identity(monkeypatch, **{part: LOOK[part] + 1})


@pytest.mark.parametrize("part", ["st_mtime_ns", "st_ctime_ns"])
def test_either_time_makes_a_file_young(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    edge_ns = NOW_NS - questions.SETTLED_NS
    assert _identity(monkeypatch, **{part: edge_ns}) != questions.YOUNG
    assert _identity(monkeypatch, **{part: edge_ns + 1}) == questions.YOUNG
    assert _identity(monkeypatch, **{part: NOW_NS * 2}) == questions.YOUNG


@pytest.mark.parametrize("ask", [lambda path: questions.identity(path, 0), questions.content])
def test_what_cannot_be_read_is_told_by_its_reason(
    tmp_path: Path, ask: Callable[[str], str]
) -> None:
    (tmp_path / "file").write_text("")
    missing, inside = ask(str(tmp_path / "none")), ask(str(tmp_path / "file/none"))
    assert missing == f"error {errno.ENOENT}"
    assert inside == f"error {errno.ENOTDIR}"
    assert ask("\0") not in (missing, inside)


def test_names_tell_a_folder_from_a_file_and_from_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    names = [questions.names(str(path)) for path in (tmp_path, tmp_path / "a", tmp_path / "b")]
    (tmp_path / "c").write_text("")
    assert len({*names, questions.names(str(tmp_path))}) == 4


def test_a_program_is_a_file_that_can_be_started(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    environ = {"PATH": f"{first}:{second}"}
    assert questions.program(environ, "tool") == ""
    (first / "tool").mkdir()
    (second / "tool").write_text("")
    assert questions.program(environ, "tool") == ""
    (second / "tool").chmod(0o755)
    assert questions.program(environ, "tool") == str(second / "tool")
    assert questions.program({"PATH": ""}, str(second / "tool")) == str(second / "tool")
    assert questions.program({"PATH": str(tmp_path)}, "second/tool") == "", "not below PATH"


def test_every_part_of_a_machine_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def machine(kernel: str = "6.1", architecture: str = "x86_64", count: int = 2) -> str:
        monkeypatch.setattr(os, "uname", lambda: ("Linux", "host", kernel, "#1", architecture))
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(count)), raising=False)
        return questions.machine()

    assert len({machine(), machine("6.2"), machine(architecture="i686"), machine(count=3)}) == 4
    before = machine()
    monkeypatch.setattr(sys, "platform", "other")
    assert machine() != before


def test_variables_tell() -> None:
    def answer(value: str | None, salt: str = "salt") -> str:
        return questions.variable({} if value is None else {"A": value}, "A", salt)

    assert len({answer(None), answer(""), answer("1"), answer("2"), answer("1", "other")}) == 5
    assert questions.variables(["A"]) != questions.variables(["A", "B"])
    assert questions.variables(["B", "A"]) == questions.variables(["A", "B"])


@pytest.mark.parametrize(
    ("path", "before", "after", "is_same"),
    [
        ("/proc/cpuinfo", b"flags : a\ncpu MHz : 1\n", b"flags : a\ncpu MHz : 2\n", True),
        ("/proc/cpuinfo", b"flags : a\n", b"flags : b\n", False),
        ("/proc/meminfo", b"MemTotal: 1\nMemFree: 1\n", b"MemTotal: 1\nMemFree: 2\n", True),
        ("/proc/meminfo", b"MemTotal: 1\n", b"MemTotal: 2\n", False),
        ("/proc/self/status", b"Pid: 1\n", b"Pid: 2\n", True),
        ("/proc/self/status", b"Cpus_allowed_list: 0\n", b"Cpus_allowed_list: 1\n", False),
        ("/proc/1/cgroup", b"a\n", b"b\n", False),
    ],
)
def test_only_lines_that_drift_are_left_out(
    path: str, before: bytes, after: bytes, is_same: bool
) -> None:
    assert (questions.settled(path, before) == questions.settled(path, after)) is is_same


# A question of every kind, and what makes its answer another one.
def _file(folder: Path) -> None:
    (folder / "file").write_text("more")


def _link(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to(folder / "other")


ASKED: dict[str, tuple[Callable[[Recording, str], Any], Callable[[Path], object]]] = {
    "read": (lambda it, base: it.read(f"{base}/file"), _file),
    "size": (lambda it, base: it.size_bytes(f"{base}/file"), _file),
    "list": (lambda it, base: it.list_dir(base), lambda base: (base / "new").mkdir()),
    "list nothing": (lambda it, base: it.list_dir(f"{base}/new"), lambda it: (it / "new").mkdir()),
    "exists": (lambda it, base: it.exists(f"{base}/new"), lambda it: (it / "new").mkdir()),
    "real path": (lambda it, base: it.real_path(f"{base}/link"), _link),
    "which": (lambda it, _: it.which("tool"), lambda it: (it / "bin/tool").chmod(0o644)),
    "variable": (lambda it, _: it.environ.get("A"), lambda _: os.environ.update(A="2")),
    "variable not set": (lambda it, _: "B" in it.environ, lambda _: os.environ.update(B="2")),
    "secret": (
        lambda it, _: it.environ.get("A_TOKEN"),
        lambda _: os.environ.update(A_TOKEN="x"),
    ),
    "variables": (lambda it, _: list(it.environ), lambda _: os.environ.update(C="1")),
    "variables counted": (lambda it, _: len(it.environ), lambda _: os.environ.update(C="1")),
    "processors": (lambda it, _: it.cpu_count(), lambda _: _machine()),
    "architecture": (lambda it, _: it.machine(), lambda _: _machine()),
    "kernel": (lambda it, _: it.kernel(), lambda _: _machine()),
}


def _machine() -> None:
    os.uname = lambda: ("Linux", "host", "0.1", "#1", "vax")  # type: ignore[assignment,return-value]


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_through_the_door_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(questions, "SETTLED_NS", 0)
    monkeypatch.setattr(os, "uname", os.uname)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("A", "1")
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tool").write_text("")
    (tmp_path / "bin/tool").chmod(0o755)
    ask, change = ASKED[name]
    recording = Recording(os.environ)
    try:
        ask(recording, str(tmp_path))
    except OSError:
        assert "nothing" in name
    trace = recording.trace(())
    assert trace is not None
    assert verify.holds(trace, str(tmp_path), os.environ)
    change(tmp_path)
    assert not verify.holds(trace, str(tmp_path), os.environ)


def test_proc_is_told_by_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "SETTLED_NS", 0)
    recording = Recording(os.environ)
    assert b"MemTotal" in recording.read("/proc/meminfo")
    trace = recording.trace(())
    assert trace is not None
    assert verify.holds(trace, "/", os.environ)
    monkeypatch.setattr(questions, "settled", lambda path, content: b"other")
    assert not verify.holds(trace, "/", os.environ)


@pytest.mark.parametrize(
    "ask",
    [
        lambda it: it.run(("true",), timeout_s=10),
        lambda it: it.witness(verify.RUN, "x", None),
        lambda it: (it.witness(verify.EXISTS, "x", "1"), it.witness(verify.EXISTS, "x", "2")),
        lambda it: it.witness(verify.IDENTITY, "x", questions.YOUNG),
        lambda it: it.witness(verify.EXISTS, "a\0b", "1"),
        lambda it: it.environ.get("PLAIN"),
    ],
)
def test_what_cannot_be_asked_again_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[Recording], object]
) -> None:
    monkeypatch.setenv("PLAIN", "ghp_" + "a1B2" * 9)
    recording = Recording(os.environ)
    ask(recording)
    assert recording.trace(()) is None


def test_a_file_is_told_by_what_it_was_before_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit between the two looks must be seen the next time."""
    monkeypatch.setattr(questions, "SETTLED_NS", -(10**12))
    path = tmp_path / "file"
    path.write_text("1")
    recording = Recording(os.environ)
    monkeypatch.setattr("envstage.world.Machine.read", lambda *_: path.write_text("22"))
    recording.read(str(path))
    trace = recording.trace(())
    assert trace is not None
    assert not verify.holds(trace, str(tmp_path), os.environ)


@pytest.mark.parametrize(
    ("argv", "answer"),
    [
        (("/bin/sh", "-c", "exit 3"), verify.told(0, b"", "")),
        (("/bin/sh", "-c", "echo other"), verify.told(0, b"one\n", "")),
        (("/nowhere/program",), verify.told(0, b"", "")),
        (("/bin/sleep", "20"), verify.told(0, b"", "")),
    ],
)
def test_a_program_that_answers_otherwise_ends_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], answer: str
) -> None:
    monkeypatch.setattr(verify, "TIMEOUT_S", 2.0)
    assert not _run_holds(argv, answer, str(tmp_path), os.environ)


def test_a_program_is_told_by_its_framed_words(tmp_path: Path) -> None:
    answer = verify.told(0, b"words", "")
    framed = ("/bin/echo", "some cookiewordseikooc other")
    assert _run_holds(framed, answer, str(tmp_path), {}, cookie="cookie")
    other = ("/bin/echo", "some cookieotherseikooc words")
    assert not _run_holds(other, answer, str(tmp_path), {}, cookie="cookie")


def _run_holds(
    argv: tuple[str, ...], answer: str, root: str, environ: Mapping[str, str], cookie: str = ""
) -> bool:
    asked = [(verify.RUN, verify.run_question(argv, cookie), answer)]
    return verify.holds(Trace("", asked), root, environ)


@pytest.mark.parametrize("answer", ["", "None", "True", "0"])
def test_a_question_that_nobody_knows_has_no_answer(answer: str) -> None:
    assert not verify.holds(Trace("", [("riddle", "x", answer)]), "/", {})
