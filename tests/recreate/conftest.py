"""A project, and nothing of this machine's own configuration."""

from pathlib import Path

import pytest

from tests.recreate.projects import Project, without_network


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    without_network(monkeypatch)
    # Only folders and indexes that a test names: `file:` is asked, and has nothing.
    empty = tmp_path / "no-index"
    empty.mkdir()
    monkeypatch.setenv("UV_DEFAULT_INDEX", empty.as_uri())
    return Project(tmp_path / "repo", capsys)
