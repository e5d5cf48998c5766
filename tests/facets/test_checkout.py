"""Checkouts that Git answers for: remotes that others can reach, edits, places within."""

from pathlib import Path

import pytest

from envstage.facets.checkout import Checkout, checkout_of, remote_of
from envstage.world import Machine
from tests.recreate.projects import committed, git


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "lib.py").write_text("value = 1\n")
    committed(folder)
    return folder


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/o/p.git", "https://github.com/o/p.git"),
        ("https://bob:ghp_0123456789abcdef0123@github.com/o/p", "https://github.com/o/p"),
        ("git@github.com:o/p.git", "ssh://git@github.com/o/p.git"),
        ("ssh://git@github.com/o/p.git", "ssh://git@github.com/o/p.git"),
        ("/home/bob/p", None),
        ("file:///home/bob/p", None),
        ("../p", None),
        ("ext::sh -c touch% pwned", None),
    ],
)
def test_remote_is_one_that_others_can_reach(
    checkout: Path, url: str, expected: str | None
) -> None:
    git(checkout, "remote", "add", "origin", url)
    assert remote_of(Machine(), str(checkout)) == expected


def test_origin_comes_first_and_another_where_it_is_local(checkout: Path) -> None:
    git(checkout, "remote", "add", "a", "https://a.example/p")
    git(checkout, "remote", "add", "origin", "https://origin.example/p")
    assert remote_of(Machine(), str(checkout)) == "https://origin.example/p"
    git(checkout, "remote", "set-url", "origin", "/somewhere")
    assert remote_of(Machine(), str(checkout)) == "https://a.example/p"


@pytest.mark.hard_case(9, 39)
def test_edits_are_seen_and_what_python_leaves_behind_is_none(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "__pycache__").mkdir()
    (checkout / "__pycache__" / "lib.pyc").write_text("")
    (checkout / "lib.egg-info").mkdir()
    (checkout / "lib.egg-info" / "PKG-INFO").write_text("")
    assert checkout_of(Machine(), str(checkout)) == Checkout(commit=commit)
    (checkout / "new.py").write_text("")
    first = checkout_of(Machine(), str(checkout)).changes
    (checkout / "new.py").write_text("x = 1\n")
    second = checkout_of(Machine(), str(checkout)).changes
    (checkout / "new.py").unlink()
    (checkout / "lib.py").write_text("value = 2\n")
    third = checkout_of(Machine(), str(checkout)).changes
    assert None not in (first, second, third)
    assert len({first, second, third}) == 3


def test_place_within_the_repository(checkout: Path) -> None:
    inner = checkout / "python" / "lib"
    inner.mkdir(parents=True)
    assert checkout_of(Machine(), str(inner)).subdirectory == "python/lib"


def test_folder_of_no_repository_says_nothing(tmp_path: Path) -> None:
    assert checkout_of(Machine(), str(tmp_path)) == Checkout()
