"""Run one script in a project of its own, under envstage and under the other observer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.observing.cases import Case
from benchmarks.observing.environment import Environment
from benchmarks.observing.guarded import Seen
from benchmarks.observing.truth import Owners, listed_files, owners_of, truth_in
from benchmarks.observing.verdict import Row, judge

TIMEOUT_S: Final = 300
# By its path: PYTHONPATH would be the scripts' as well.
_GUARDED: Final = Path(__file__).with_name("guarded.py").resolve()
_DROPPED: Final = ("PYTHON", "ENVSTAGE", "DVC_", "VIRTUAL_ENV", "CONDA")


class Bench:
    """The environment, whose files are whose in it, and what every process of it loads."""

    def __init__(self, environment: Environment, work: Path) -> None:
        self.environment = environment
        self.work = work
        self.owners: Owners = owners_of(str(environment.python))
        self.at_start = self._loaded_at_start()

    def judged(self, case: Case) -> Row:
        """Run a script and judge what envstage makes of it."""
        folder = self.work / case.name
        shutil.rmtree(folder, ignore_errors=True)
        project, lists = folder / "project", folder / "truth"
        project.mkdir(parents=True)
        lists.mkdir()
        case.copy_to(project)
        (project / "envstage.yaml").write_text(
            f"environments:\n  main: {{python: {self.environment.python}, level: platform}}\n"
            "views:\n  stage: {}\n"
        )
        seen = self._guarded(case, project, lists)
        truth = truth_in(lists, self.owners, less=self.at_start)
        return judge(case, seen, truth, self.owners)

    def _loaded_at_start(self) -> frozenset[str]:
        """Files that `.pth` files load in every process, used or not."""
        lists = self.work / "start"
        shutil.rmtree(lists, ignore_errors=True)
        lists.mkdir(parents=True)
        argv = [str(self.environment.python), "-c", "pass"]
        subprocess.run(argv, env=self._variables(lists), check=True)
        return listed_files(lists)

    def _guarded(self, case: Case, project: Path, lists: Path) -> Seen:
        result = project.parent / "seen.json"
        log = project.parent / "log.txt"
        argv = [sys.executable, str(_GUARDED), str(result), "--"]
        with log.open("w") as file:
            done = subprocess.run(
                [*argv, *case.command],
                cwd=project,
                env=self._variables(lists),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT_S,
                check=False,
            )
        if done.returncode or not result.exists():
            return Seen(returncode=done.returncode or 1)
        return msgspec.json.decode(result.read_bytes(), type=Seen)

    def _variables(self, lists: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
        return kept | {
            "PATH": os.pathsep.join([str(self.environment.bin), "/usr/bin", "/bin"]),
            "OBSERVED_TRUTH": str(lists),
            "ENVSTAGE_CACHE": str(self.work / "cache"),
            "HOME": str(self.work / "home"),
            "MPLCONFIGDIR": str(self.work / "home"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "2",
        }
