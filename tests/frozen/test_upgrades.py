"""A later release of envstage, in a real process: what is committed stays as it is."""

import json
import sys
from pathlib import Path

import pytest

from envstage.snapshot import document as snapshot_document
from envstage.views import document as view_document
from envstage.views.document import OBSERVED
from tests.repository import SNAPSHOT, VIEW, Repository

pytestmark = pytest.mark.e2e

UPGRADED = Path(__file__).with_name("upgraded.py")
ROOT = UPGRADED.parents[2]
CHANGES = [("version", "fact"), ("version", "fact", "schema")]


@pytest.fixture(params=["wide", "observed"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """One whose committed view is wide, or says exactly what a run used."""
    repository = Repository.at(tmp_path)
    for name in ("alpha", "beta", "gamma"):
        repository.install(name, "1.0")
    repository.capture()
    if request.param == "observed":
        observe(repository)
    repository.commit("captured by the old release")
    return repository


def observe(repository: Repository) -> None:
    """Write the view of a run that used alpha, and looked for what is not there."""
    path = repository.root / VIEW
    wide = view_document.decode(path.read_bytes(), VIEW)
    facts = {
        address: value
        for address, value in wide.facts.items()
        if address[0] not in ("packages", "hardware") or address[1] == "alpha"
    }
    facts["modules", "bottleneck"] = None
    facts["packages", "absent"] = None
    view = view_document.ViewDocument(level=wide.level, selection=OBSERVED, facts=facts)
    path.write_bytes(view_document.encode(view))


def upgraded(repository: Repository, changes: tuple[str, ...], *arguments: str) -> str:
    said = repository.run(sys.executable, str(UPGRADED), *changes, "--", *arguments)
    assert "Traceback" not in said
    return said


@pytest.mark.hard_case(28)
@pytest.mark.parametrize("changes", CHANGES, ids="+".join)
def test_committed_views_are_left_alone(repository: Repository, changes: tuple[str, ...]) -> None:
    path = repository.root / VIEW
    before, stat = path.read_bytes(), path.stat()
    upgraded(repository, changes, "capture")
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert path.stat().st_ino == stat.st_ino
    # It is the later release that was at work.
    snapshot = json.loads(repository.read(SNAPSHOT))
    assert ("flavour" in snapshot["facts"]["system"]) is ("fact" in changes)
    assert snapshot["schema"] == (2 if "schema" in changes else 1)
    # A machine that changes is seen all the same.
    repository.install("alpha", "2.0")
    upgraded(repository, changes, "capture")
    assert json.loads(path.read_bytes())["facts"]["packages"]["alpha"]["version"] == "2.0"
    repository.install("alpha", "1.0")


@pytest.mark.parametrize("changes", CHANGES[-1:], ids="+".join)
def test_old_snapshots_keep_their_fingerprints(
    repository: Repository, changes: tuple[str, ...]
) -> None:
    old = snapshot_document.decode((repository.root / SNAPSHOT).read_bytes(), SNAPSHOT)
    fingerprint = snapshot_document.snapshot_fingerprint(old)
    repository.write("old.json", repository.read(SNAPSHOT))
    upgraded(repository, changes, "capture")
    # The later release reads it, and finds it by the same name.
    assert fingerprint[:14] in upgraded(repository, changes, "show", "old.json")
    found = json.loads(upgraded(repository, changes, "show", fingerprint, "--json"))
    assert found["facts"] == json.loads(repository.read("old.json"))["facts"]


def test_a_release_that_is_too_old_says_so_and_replaces_nothing(tmp_path: Path) -> None:
    repository = Repository.at(tmp_path)
    repository.install("alpha", "1.0")
    upgraded(repository, ("schema",), "capture")
    before = repository.outputs()
    said = repository.run("envstage", "capture", code=2)
    assert "is of schema 2, this envstage knows 1. Upgrade envstage" in said
    assert repository.outputs() == before
