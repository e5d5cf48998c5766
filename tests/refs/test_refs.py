"""What a REF names: each kind, what comes first, and clear errors with candidates."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from envstage.errors import EnvstageError
from envstage.receipts.document import encode as encode_receipt
from envstage.refs import Named, pair, resolve
from envstage.snapshot.document import decode, snapshot_fingerprint
from envstage.snapshot.model import Level
from envstage.views import document as view_document
from envstage.views.archive import Archived, add
from envstage.views.document import ViewDocument, view_fingerprint
from tests.receipts.samples import receipt
from tests.refs.repository import SNAPSHOT, Repository, snapshot


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repo")
    made.commit(alpha="1.0")
    made.git("tag", "v1")
    made.commit(alpha="2.0")
    return made


def named(repository: Repository, ref: str) -> Named:
    return resolve(repository.world, repository.project, ref, "main", str(repository.root))


def alpha(repository: Repository, ref: str) -> object:
    return named(repository, ref).facts["packages", "alpha", "version"]


def complaint(repository: Repository, ref: str) -> str:
    with pytest.raises(EnvstageError) as caught:
        named(repository, ref)
    return str(caught.value)


def experiment(repository: Repository, name: str, version: str) -> None:
    """An experiment as DVC keeps it."""
    baseline = repository.git("rev-parse", "HEAD")
    commit = repository.commit(alpha=version)
    repository.git("update-ref", f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", commit)
    repository.git("reset", "-q", "--hard", baseline)


def test_revisions(repository: Repository) -> None:
    first = repository.git("rev-parse", "v1")
    for ref in ("v1", "HEAD~1", first, first[:8], "main~1", f"v1:{SNAPSHOT}", "HEAD^"):
        assert alpha(repository, ref) == "1.0"
    assert alpha(repository, "main") == "2.0"
    assert named(repository, "v1").label == f"v1 ({first[:7]})"
    assert named(repository, "v1").commit == first


def test_annotated_tag(repository: Repository) -> None:
    repository.git("tag", "-a", "-m", "blessed", "blessed", "v1")
    assert alpha(repository, "blessed") == "1.0"


def test_files_and_folders(repository: Repository) -> None:
    repository.write("other/environment.json", snapshot({"alpha": "3.0"}))
    repository.write("clone/environment/environment.json", snapshot({"alpha": "4.0"}))
    for ref in ("other", "other/environment.json", "./other", str(repository.root / "other")):
        assert alpha(repository, ref) == "3.0"
    assert alpha(repository, "clone") == "4.0"


def test_experiment_without_dvc(repository: Repository) -> None:
    experiment(repository, "lucky-fox", "7.0")
    assert alpha(repository, "lucky-fox") == "7.0"


def test_experiment_of_two_baselines(repository: Repository) -> None:
    experiment(repository, "lucky-fox", "7.0")
    repository.commit(alpha="2.5")
    experiment(repository, "lucky-fox", "8.0")
    text = complaint(repository, "lucky-fox")
    assert "more than one" in text
    assert text.count("refs/exps/") == 2


def test_branch_and_tag_of_one_name(repository: Repository) -> None:
    repository.git("branch", "twice", "main")
    repository.git("tag", "twice", "v1")
    text = complaint(repository, "twice")
    assert "`refs/tags/twice`" in text and "`refs/heads/twice`" in text
    assert alpha(repository, "refs/tags/twice") == "1.0"


def test_file_and_branch_of_one_name(repository: Repository) -> None:
    repository.write("twice", snapshot({"alpha": "9.0"}))
    repository.git("branch", "twice", "v1")
    assert "`./twice`" in complaint(repository, "twice")
    assert alpha(repository, "./twice") == "9.0"
    assert alpha(repository, "refs/heads/twice") == "1.0"


def test_folder_without_a_document_is_no_candidate(repository: Repository) -> None:
    (repository.root / "train").mkdir()
    repository.git("branch", "train", "v1")
    assert alpha(repository, "train") == "1.0"


def test_absence_names_candidates(repository: Repository) -> None:
    repository.git("branch", "experiment-one")
    assert "Did you mean `experiment-one`" in complaint(repository, "experimnt-one")
    text = complaint(repository, "zzz")
    assert "main" in text and "v1" in text and "`now`" in text


@pytest.mark.parametrize("ref", ["--output=/tmp/x", "-x", "a\nb", "HEAD\0x", ":/alpha", "", "@{u}"])
def test_what_is_no_name(repository: Repository, ref: str) -> None:
    assert "names neither" in complaint(repository, ref)


def test_revision_without_a_snapshot(repository: Repository) -> None:
    repository.git("rm", "-q", SNAPSHOT)
    repository.commit_all()
    assert "there is no environment/environment.json in this revision" in complaint(
        repository, "HEAD"
    )


def test_fingerprints(repository: Repository) -> None:
    old = snapshot_fingerprint(decode(snapshot({"alpha": "1.0"}), ""))
    assert alpha(repository, old) == "1.0"
    assert alpha(repository, old[:10]) == "1.0"
    assert named(repository, old[:10]).commit == repository.git("rev-parse", "v1")
    assert "no snapshot or view of this fingerprint" in complaint(repository, "e-00000")


def test_fingerprint_of_a_deleted_branch_is_gone(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "side")
    repository.commit(alpha="5.0")
    repository.git("checkout", "-q", "main")
    fingerprint = snapshot_fingerprint(decode(snapshot({"alpha": "5.0"}), ""))
    assert alpha(repository, fingerprint) == "5.0"
    repository.git("branch", "-q", "-D", "side")
    assert "no snapshot" in complaint(repository, fingerprint)


def test_ambiguous_fingerprint(repository: Repository) -> None:
    seen: dict[str, str] = {}
    number = 0
    while True:
        data = snapshot({"alpha": f"9.{number}"})
        prefix = snapshot_fingerprint(decode(data, ""))[:6]
        if prefix in seen:
            break
        seen[prefix] = f"9.{number}"
        number += 1
    repository.commit(alpha=seen[prefix])
    repository.commit(alpha=f"9.{number}")
    text = complaint(repository, prefix)
    assert "more than one" in text and text.count(f"`{prefix}") == 2


def test_view_of_the_archive(repository: Repository) -> None:
    from envstage.config import Config, View
    from envstage.project import Project

    view = ViewDocument(
        level=Level.SOFTWARE,
        selection="observed",
        facts={("packages", "alpha", "version"): "6.0"},
    )
    project = Project(root=str(repository.root), config=Config(views=(View(name="train"),)))
    add(project.state, "main", "train", Archived(view=view, inputs={}))
    found = resolve(repository.world, project, view_fingerprint(view)[:12], "main")
    assert found.view == view


def test_view_in_history(repository: Repository) -> None:
    view = ViewDocument(
        level=Level.SOFTWARE, selection="wide", facts={("packages", "alpha", "version"): "6.0"}
    )
    repository.write("environment/views/train.json", view_document.encode(view))
    repository.commit_all()
    repository.git("rm", "-q", "environment/views/train.json")
    repository.commit_all()
    assert named(repository, view_fingerprint(view)[:12]).view == view


def test_receipt(repository: Repository) -> None:
    held = json.loads(snapshot({"alpha": "1.5"}))
    repository.write("receipt.json", encode_receipt(receipt(snapshot=held)))
    assert alpha(repository, "receipt.json") == "1.5"
    assert named(repository, "receipt.json").format == "receipt"
    assert named(repository, "receipt.json").view is not None
    # Without a snapshot it tells what its view tells.
    repository.write("receipt.json", encode_receipt(receipt(snapshot=None)))
    assert alpha(repository, "receipt.json") == "1.0"
    repository.write("receipt.json", json.dumps({"document": "receipt"}))
    assert "edited or damaged" in complaint(repository, "receipt.json")


def test_standard_input(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    given = SimpleNamespace(buffer=io.BytesIO(snapshot({"alpha": "1.7"})))
    monkeypatch.setattr("sys.stdin", given)
    assert alpha(repository, "-") == "1.7"


def test_ranges(repository: Repository) -> None:
    def both(a: str, b: str | None = None) -> tuple[object, ...]:
        found = pair(repository.world, repository.project, a, b, "main", str(repository.root))
        return tuple(each.facts["packages", "alpha", "version"] for each in found)

    assert both("v1..main") == ("1.0", "2.0")
    assert both("v1..") == ("1.0", "2.0")
    assert both("v1", "main") == ("1.0", "2.0")
    repository.git("checkout", "-q", "-b", "side", "v1")
    repository.commit(alpha="5.0")
    # Since they parted: what main did meanwhile is not the branch's change.
    assert both("main...side") == ("1.0", "5.0")
    repository.write("other/environment.json", snapshot({"alpha": "3.0"}))
    assert both("./other/../other", "v1") == ("3.0", "1.0")


def test_files_need_no_repository(tmp_path: Path) -> None:
    folder = Repository(tmp_path / "repo").root
    (tmp_path / "a.txt").write_text("alpha==1.0\n")
    (tmp_path / "b.txt").write_text("alpha==1.1\n")
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "envstage", "diff", "a.txt", "b.txt"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "~ alpha  1.0 → 1.1  upgrade, minor" in done.stdout
    assert folder.exists()


def test_subfolder_project(repository: Repository) -> None:
    """The project may lie below the repository's top."""
    sub = Repository.__new__(Repository)
    sub.root = repository.root / "sub"
    sub.write(SNAPSHOT, snapshot({"alpha": "0.1"}))
    repository.commit_all()
    assert resolve(sub.world, sub.project, "HEAD", "main").facts[
        "packages", "alpha", "version"
    ] == "0.1"  # fmt: skip
