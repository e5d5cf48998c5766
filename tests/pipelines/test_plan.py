import os
from pathlib import Path

import pytest

from envstage.errors import EnvstageError
from envstage.pipelines.plan import Draft, Edit, Plan, apply


def edit(path: str, before: str | None, after: str | None) -> Edit:
    return Edit(path=path, before=before, after=after)


def test_a_plan_is_shown_as_a_unified_diff() -> None:
    plan = Plan(edits=(edit("a", "1\n2", "1\n3"), edit("b", None, "x\n"), edit("c", "y\n", None)))
    assert plan.diff() == (
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n 1\n"
        "-2\n\\ No newline at end of file\n+3\n\\ No newline at end of file\n"
        "--- /dev/null\n+++ b/b\n@@ -0,0 +1 @@\n+x\n"
        "--- a/c\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n"
    )
    assert Plan().is_empty and Plan().diff() == ""


def test_all_edits_are_made_with_modes_and_links_kept(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"\xff\r\n")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "gone" / "deep").mkdir(parents=True)
    (tmp_path / "gone" / "deep" / "x").write_text("x")
    plan = Plan(
        edits=(
            edit("link", "\udcff\r\n", "\udcff\r\nmore\r\n"),
            edit("new/file", None, "n"),
            edit("gone/deep/x", "x", None),
        )
    )
    apply(plan, str(tmp_path))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"\xff\r\nmore\r\n"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new" / "file").read_text() == "n"
    assert sorted(os.listdir(tmp_path)) == ["link", "new", "real"]


def test_nothing_is_written_over_a_change_made_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("other")
    with pytest.raises(EnvstageError, match="b: changed since the plan was made"):
        apply(Plan(edits=(edit("a", None, "1"), edit("b", "1", "2"))), str(tmp_path))
    assert os.listdir(tmp_path) == ["b"]


def test_half_a_plan_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "c").write_text("1")
    replace = os.replace

    def failing(source: str, place: str) -> None:
        if str(place).endswith("c"):
            raise OSError(28, "No space left on device", place)
        replace(source, place)

    monkeypatch.setattr(os, "replace", failing)
    plan = Plan(edits=(edit("a", "1", "2"), edit("b", None, "2"), edit("c", "1", "2")))
    with pytest.raises(EnvstageError, match="No space left on device; nothing was changed"):
        apply(plan, str(tmp_path))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "1", "c": "1"}


def test_a_draft_plans_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    draft = Draft(str(tmp_path))
    draft.write("a", "2")
    draft.write("a", "1")
    draft.write("b", "1")
    draft.say("note")
    draft.say("note")
    assert draft.plan() == Plan(edits=(edit("b", None, "1"),), messages=("note",))
