"""Digests of files and folders: DVC's own, and those of everybody's tools."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from envstage.pipelines.dvc_patterns import ignored_by_dvc
from envstage.receipts.digests import artifact
from tests.e2e.pipeline import Pipeline

NAMES = ("a.txt", "b-1/c.txt", "b/c.txt", "b.d/é.txt", "B.txt", "deep/er/x y.bin", "empty")


def folder_in(root: Path) -> Path:
    for number, name in enumerate(NAMES):
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x\r\n" * number)
    return root / "data"


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's xargs and sha256sum")
def test_dir_hash_is_what_a_shell_computes(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    found = artifact(str(tmp_path), "data")
    script = "find . -type f | cut -c3- | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True)
    assert found.dir_hash == done.stdout.split()[0]
    assert found.file_count == len(NAMES)


def test_what_is_not_there_or_too_large(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    assert artifact(str(tmp_path), "b").kind == "missing"
    assert artifact(str(tmp_path), "a", limit_bytes=2).kind == "unread"
    assert artifact(str(tmp_path), "a", limit_bytes=3).sha256 is not None


@pytest.mark.e2e
def test_md5_is_what_dvc_records(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path).create()
    folder_in(pipeline.root)
    for name in ("__pycache__/m.pyc", "b/skip.log", "b/keep.log", "deep/out/z"):
        path = pipeline.root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    ignore = "# ours\n__pycache__/\n*.log\n!keep.log\n/data/deep/out\n"
    pipeline.write(".dvcignore", ignore)
    pipeline.run("dvc", "add", "-q", "data")
    (recorded,) = yaml.safe_load(pipeline.read("data.dvc"))["outs"]
    root = str(pipeline.root)
    found = artifact(root, "data", is_ignored=ignored_by_dvc(root))
    assert (found.md5, found.file_count) == (recorded["md5"], recorded["nfiles"])


def test_patterns_of_folders_further_down(tmp_path: Path) -> None:
    for name in (".dvc/x", "project/data/keep", "project/data/skip/x", "project/data/.git/y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".dvcignore").write_text("**/skip/**\n")
    (tmp_path / "project" / ".dvcignore").write_text("data/[a-j]*\n!data/keep\n")
    root = str(tmp_path / "project")
    found = artifact(root, "data", is_ignored=ignored_by_dvc(root))
    assert [entry.path for entry in found.entries] == ["keep"]
