"""Tiny pipelines, copied into a repository of their own. `gitignore` stands for `.gitignore`."""

import os
import shutil
import subprocess
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "pipelines"


def copied(name: str, root: Path) -> Path:
    """A fixture pipeline in a Git repository, with a folder `.dvc`."""
    shutil.copytree(DATA / name, root, dirs_exist_ok=True)
    for hidden in ("gitignore", "dvcignore"):
        if (root / hidden).exists():
            (root / hidden).rename(root / f".{hidden}")
    (root / ".dvc").mkdir(exist_ok=True)
    git(root, "init", "-q")
    return root


def git(root: Path, *args: str) -> str:
    """What Git answers in a repository, whoever's machine this is."""
    who = {"NAME": "A", "EMAIL": "a@example.org"}
    environ = {f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who}
    done = subprocess.run(
        ["git", "-C", str(root), *args],
        env={**os.environ, **environ},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def files(root: Path) -> dict[str, bytes]:
    """Every file of a repository but Git's and DVC's own."""
    found = {}
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and inside.parts[0] not in (".git", ".dvc"):
            found[inside.as_posix()] = path.read_bytes()
    return found
