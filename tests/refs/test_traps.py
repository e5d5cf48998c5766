"""Reading the past runs nothing that the repository names, whatever its files say."""

from pathlib import Path

import pytest

from tests.refs.repository import Repository, snapshot

VIEW = '{"facts": {}, "level": "software", "schema": 1, "selection": "wide"}\n'
DVC = """\
stages:
  train:
    cmd: touch {mark}
    deps: [environment/views/train.json]
"""


@pytest.fixture
def trapped(tmp_path: Path) -> Repository:
    """A repository of which everything that can name a program names one that leaves a mark."""
    made = Repository(tmp_path / "repo")
    trap = made.write("trap.sh", f'#!/bin/sh\necho "$0 $@" >> {tmp_path}/mark\ncat\n')
    trap.chmod(0o755)
    made.write(
        "envstage.yaml",
        "environments: {main: {python: ./trap.sh, level: software}}\n"
        "tools: [./trap.sh]\nviews: {train: {}}\n",
    )
    made.write("dvc.yaml", DVC.format(mark=tmp_path / "mark"))
    made.write(".gitattributes", "*.json diff=trap filter=trap merge=trap\n")
    made.write("environment/views/train.json", VIEW)
    made.write("environment/environment.json", snapshot({"alpha": "1.0"}))
    made.commit_all("one")
    made.write("environment/environment.json", snapshot({"alpha": "2.0"}))
    made.commit_all("two")
    for key in (
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "core.askPass"),
        *("diff.external", "diff.trap.textconv", "diff.trap.command", "gpg.program"),
        *("filter.trap.smudge", "filter.trap.clean", "filter.trap.process", "pager.log"),
        *("alias.log", "alias.cat-file", "credential.helper", "interactive.diffFilter"),
    ):
        made.git("config", key, f"!{trap}" if key.startswith("alias") else str(trap))
    made.git("config", "log.showSignature", "true")
    made.git("config", "core.hooksPath", str(trap.parent))
    # A promisor remote is asked for objects that are not here.
    made.git("config", "remote.origin.url", f"ext::{trap}")
    made.git("config", "remote.origin.promisor", "true")
    made.git("config", "protocol.ext.allow", "always")
    return made


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("show", 0),
        ("show HEAD~1", 0),
        ("show HEAD --view train", 0),
        ("diff HEAD~1 HEAD", 1),
        ("diff HEAD~1..HEAD --json", 1),
        ("diff HEAD~1...HEAD --md", 1),
        ("diff HEAD~1 environment", 1),
        ("diff HEAD~1 HEAD --view train", 1),
        ("log", 0),
        ("log --runs", 0),
        ("show r-0123456789", 2),
        ("log --fact packages.alpha.version --json", 0),
        ("diff e-0000000000 HEAD", 2),
        ("show 0123456789012345678901234567890123456789", 2),
    ],
)
def test_nothing_is_run(trapped: Repository, tmp_path: Path, command: str, code: int) -> None:
    (tmp_path / "mark").unlink(missing_ok=True)
    output = trapped.envstage(*command.split(), code=code, PAGER=str(trapped.root / "trap.sh"))
    assert not (tmp_path / "mark").exists(), (tmp_path / "mark").read_text()
    assert "Traceback" not in output


def test_the_trap_works(trapped: Repository, tmp_path: Path) -> None:
    (tmp_path / "mark").unlink(missing_ok=True)
    trapped.git("status")
    trapped.git("show", "HEAD:environment/environment.json")
    assert (tmp_path / "mark").exists()
