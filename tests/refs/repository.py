"""A real Git repository with snapshots in its history."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from envstage.config import Config
from envstage.project import Project
from envstage.snapshot.document import encode
from envstage.snapshot.model import Address, Level, Snapshot, Value
from envstage.world import Machine

SNAPSHOT = "environment/environment.json"


def snapshot(versions: Mapping[str, str], environment: str = "main") -> bytes:
    facts: dict[Address, Value] = {("python", "version"): "3.11.8"}
    facts |= {("packages", name, "version"): version for name, version in versions.items()}
    return encode(Snapshot(environment=environment, level=Level.SOFTWARE, facts=facts))


class Repository:
    """`commit` writes files and commits them; its result is the commit's id."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    @property
    def world(self) -> Machine:
        return Machine()

    @property
    def project(self) -> Project:
        return Project(root=str(self.root), config=Config())

    def git(self, *argv: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *argv], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, path: str, content: bytes | str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def commit(self, **versions: str) -> str:
        self.write(SNAPSHOT, snapshot(versions))
        return self.commit_all()

    def commit_all(self, message: str = "a commit") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def envstage(self, *argv: str, code: int | None = 0, **environ: str) -> str:
        """Run the command line; standard output and error."""
        done = subprocess.run(
            [sys.executable, "-m", "envstage", argv[0], "-C", str(self.root), *argv[1:]],
            env=dict(os.environ) | environ,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert code is None or done.returncode == code, (done.returncode, done.stdout)
        return done.stdout
