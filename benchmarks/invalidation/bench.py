"""The bench: a real repository and environment, put back before every row.

Everything lies below one folder: repository, virtual environment, DVC's own state, homes. A row
changes something, the pipeline is reproduced, then everything but the pipeline's own records is
put back and it is reproduced again.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.invalidation import packages, stages
from tests import nvml
from tests.e2e.pipeline import DVC, Pipeline
from tests.wheels import Venv

LAB: Final = {
    "labtools/__init__.py": "from labtools.core import answer\n",
    "labtools/core.py": "def answer():\n    return 42\n",
    "labtools/unused.py": "value = 1\n",
}
OWN: Final = {"owncode/__init__.py": "answer = 1\n"}
ALIGNER: Final = "#!/bin/sh\necho aligner {version}\n"
# What the pipeline itself records, and what therefore stays when a row's change is taken back.
_RECORDS: Final = ("dvc.lock", "rivals/dvc.lock", "rivals/requirements.txt", "environment/")


class Bench(Pipeline):
    """The repository of the table and everything around it, below `base`."""

    def __init__(self, base: Path) -> None:
        self.wheels = base / "wheels"
        self.wheels.mkdir(parents=True)
        self.gpus = base / "gpus"
        self.home = base / "home"
        self.home.mkdir()
        self.pristine = base.with_name(base.name + "-pristine")
        super().__init__(base)
        self.environ = self._environ()
        self._before = dict(self.environ)
        self.umask = ""

    # Building it

    def build(self) -> None:
        """Make repository and environment, track every stage, and bring all up to date."""
        self._make_tools()
        self._make_environment()
        self._make_repository()
        self.records = self.files()
        shutil.copytree(self.base, self.pristine, symlinks=True)

    def _environ(self) -> dict[str, str]:
        gpus = nvml.nvml_environ(self.gpus, nvml.ONE_H100)
        return {
            "HOME": str(self.home),
            "USER": "ada",
            "LOGNAME": "ada",
            "HOSTNAME": "here",
            "LC_ALL": "C.UTF-8",
            "SHELL": "/bin/sh",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
            "DVC_NO_ANALYTICS": "1",
            **gpus,
        }

    def variables(self, **changes: str) -> dict[str, str]:
        """Nothing of the caller's environment, so that it cannot decide what reruns."""
        path = [str(self.venv.bin), str(self.tools), "/usr/local/bin", "/usr/bin", "/bin"]
        found = {"PATH": os.pathsep.join(path), **self.environ, **changes}
        return {name: value for name, value in found.items() if value != UNSET}

    def _link_tools(self) -> None:
        """Written by `_make_tools`, once the folders are there."""

    def _make_tools(self) -> None:
        self.tools.mkdir()
        self.script("envstage", f'exec "{sys.executable}" -m envstage "$@"')
        self.script(
            "frozen-packages",
            f'exec "{sys.executable}" -m pip --python "$(command -v python)" freeze',
        )
        self.script("aligner", "echo aligner 1.0")
        (self.tools / "dvc").symlink_to(DVC)

    def script(self, name: str, text: str) -> Path:
        """A program on PATH."""
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def _make_environment(self) -> None:
        self.lab = packages.project(self.base / "lab", "labtools", LAB)
        wheels = [packages.wheel(self.wheels, name) for name in packages.INSTALLED]
        self.venv.install(*wheels)
        self.root.mkdir()
        packages.project(self.root / "own", "owncode", OWN)
        self.venv.install_direct("-e", self.lab, "-e", self.root / "own")

    def _make_repository(self) -> None:
        self.write("dvc.yaml", stages.dvc_yaml())
        self.write("rivals/dvc.yaml", stages.rivals_yaml())
        self.write("envstage.yaml", stages.CONFIGURATION)
        self.write("data.csv", "b\na\n")
        self.write("README.md", "The pipeline of the truth table.\n")
        for name in ("out/.gitkeep", "rivals/out/.gitkeep"):
            self.write(name, "")
        for stage in stages.SCRIPTS:
            self.write(f"code/{stage}.py", stages.script(stage))
        self.run("git", "init", "-q", "-b", "main")
        self.run("dvc", "init", "-q")
        self.run("dvc", "config", "core.analytics", "false")
        # DVC's memory of file hashes: below the bench's folder, like all that a row may change.
        self.run("dvc", "config", "core.site_cache_dir", str(self.base / "site"))
        self.run("envstage", "init", "dvc", "--yes")
        self.run("envstage", "track", "--yes", *stages.STAGES)
        self.repro("-P")
        output = self.repro("-P")
        again = self.ran(output) - {"environment", "rivals/dvc.yaml:freeze"}
        if again:
            raise AssertionError(f"reran with nothing changed: {sorted(again)}\n{output}")
        self.commit("everything is up to date")

    # Putting it back

    def reset(self) -> None:
        """Everything as it was when it was built."""
        shutil.rmtree(self.base)
        shutil.copytree(self.pristine, self.base, symlinks=True)
        self._forget()

    def take_back(self) -> None:
        """Put back what a row changed, and leave what the pipeline itself recorded."""
        for name in ("venv", "tools", "lab", "gpus", "home"):
            shutil.rmtree(self.base / name, ignore_errors=True)
            shutil.copytree(self.pristine / name, self.base / name, symlinks=True)
        self._forget()
        for name, content in self.records.items():
            if not name.startswith(_RECORDS) and self._content(name) != content:
                self.write(name, "")
                (self.root / name).write_bytes(content)

    def _forget(self) -> None:
        self.environ = dict(self._before)
        self.venv.folder = self.base / "venv"
        self.root = self.base / "repo"
        self.umask = ""

    def _content(self, name: str) -> bytes:
        path = self.root / name
        return path.read_bytes() if path.exists() else b""

    # Changing it

    def put(self, *names: str, version: str = "1.0", **options: object) -> None:
        """Install packages of the table with uv, in one version."""
        self.venv.install(*(self.wheel(name, version, **options) for name in names))

    def wheel(self, name: str, version: str = "1.0", **options: object) -> Path:
        """A wheel of the table."""
        return packages.wheel(self.wheels, name, version, **options)  # type: ignore[arg-type]

    def edit(self, path: str, text: str) -> None:
        """Write a file anywhere below the bench's folder."""
        target = self.base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text))

    def module(self, name: str, text: str = "version = 'shadow'\n") -> None:
        """A loose module, in a folder of PYTHONPATH."""
        folder = self.base / "loose"
        self.edit(f"loose/{name}.py", text)
        self.environ["PYTHONPATH"] = str(folder)

    def use_release(self, tree: Path) -> None:
        """Run envstage from another tree."""
        code = (
            f"import sys; sys.path.insert(0, {str(tree)!r}); sys.argv[0] = 'envstage'; "
            "from envstage.cli import main; sys.exit(main())"
        )
        self.script("envstage", f'exec "{sys.executable}" -c "{code}" "$@"')

    def move_to_clone(self) -> None:
        """Go on in a clone at another path, whose own package is installed from there."""
        clone = self.base / "elsewhere" / "clone"
        self.run("git", "clone", "-q", str(self.root), str(clone))
        self.root = clone
        self.venv.install_direct("-e", clone / "own")

    @property
    def processors(self) -> int:
        """The processors that a program may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1

    def gpu(self, state: str) -> None:
        """Another state of the machine's GPUs."""
        nvml.put_in(self.gpus, state)

    def set(self, **variables: str) -> None:
        """Set environment variables for what follows."""
        self.environ.update(variables)

    def rebuild(
        self, folder: str = "venv", python: str = sys.executable, *, pip: bool = False
    ) -> None:
        """The environment anew, from the same wheels."""
        shutil.rmtree(self.venv.folder)
        self.venv = Venv(self.base / folder, python=python)
        wheels = [packages.wheel(self.wheels, name) for name in packages.INSTALLED]
        (self.venv.pip_install if pip else self.venv.install)(*wheels)
        self.venv.install_direct("-e", self.lab, "-e", self.root / "own")

    # Looking at it

    def reproduce(self, *, with_rivals: bool = True) -> tuple[frozenset[str], str]:
        """Reproduce everything, also what lies behind a failure; the stages that were started."""
        words = ["dvc", "repro", "-k", *(["-P"] if with_rivals else [])]
        if self.umask:
            words = ["sh", "-c", f"umask {self.umask}; exec {' '.join(words)}"]
        output = self.run(*words, code=None)
        return frozenset(self.ran(output)), output


UNSET: Final = "\0unset"


def rerun_of(ran: frozenset[str], rival: str = "") -> frozenset[str]:
    """The stages of the table among those that ran: envstage's, or those of a rival."""
    if not rival:
        return ran & stages.ALL
    prefix, suffix = "rivals/dvc.yaml:", f"-{rival}"
    names: Mapping[str, str] = {f"{prefix}{stage}{suffix}": stage for stage in stages.STAGES}
    return frozenset(names[each] for each in ran if each in names)
