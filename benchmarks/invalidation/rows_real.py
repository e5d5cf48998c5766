"""Rows on real packages: NumPy, pandas, scikit-learn, matplotlib.

They come from an index (or uv's cache), so these rows are left out where neither has them.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.invalidation.table import ENVSTAGE, REAL, Result, Row
from tests.e2e.pipeline import Pipeline
from tests.wheels import UV

_FRAMES, _LEARN, _PLOT, _SHELL = "frames", "learn", "plot", "shell"
_THREE: Final = frozenset({_FRAMES, _LEARN, _PLOT})
_BASE: Final = (
    *("numpy==2.1.3", "pandas==2.2.3", "scikit-learn==1.5.2", "matplotlib==3.9.2"),
    *("scipy==1.14.1", "joblib==1.4.2", "threadpoolctl==3.5.0", "python-dateutil==2.9.0.post0"),
    *("six==1.17.0", "pytz==2024.2", "tzdata==2024.2", "cycler==0.12.1", "kiwisolver==1.4.7"),
    *("pillow==11.0.0", "pyparsing==3.2.0", "fonttools==4.55.0", "contourpy==1.3.1"),
    *("packaging==24.2", "tabulate==0.9.0"),
)
_SCRIPTS: Final = {
    _FRAMES: "import pandas as pd\ntext = pd.DataFrame({'a': [1, 1, 2], 'b': [1.0, 2.0, 4.0]})"
    ".groupby('a').mean().to_csv()\n",
    _LEARN: "import numpy as np\nfrom sklearn.linear_model import LogisticRegression\n"
    "x = np.arange(8.0).reshape(-1, 1)\n"
    "text = str(LogisticRegression().fit(x, x[:, 0] > 3).coef_.round(3))\n",
    _PLOT: "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n"
    "plt.plot([1, 2])\nplt.savefig('plot.png')\ntext = 'plotted'\n",
}
_CONFIGURATION: Final = "environments:\n  main: {python: auto, level: platform}\n"


_PANDAS: Final = frozenset({_FRAMES, _LEARN})
# sklearn/utils/fixes.py
_FIXES: Final = "scikit-learn imports pandas wherever it is installed"


class RealRow(msgspec.Struct, frozen=True, kw_only=True):
    """A change of real packages: what is installed, and what should rerun."""

    name: str
    install: tuple[str, ...]
    should: frozenset[str]
    why: str


ROWS: Final = (
    RealRow(name="NumPy downgraded", install=("numpy==2.1.2",), should=_THREE,
            why="all three import it"),
    RealRow(name="pandas downgraded", install=("pandas==2.2.2",), should=_PANDAS,
            why=f"one stage imports it, and {_FIXES}"),
    RealRow(name="scikit-learn downgraded", install=("scikit-learn==1.5.1",),
            should=frozenset({_LEARN}), why="one stage imports it"),
    RealRow(name="SciPy downgraded", install=("scipy==1.14.0",), should=frozenset({_LEARN}),
            why="scikit-learn imports it; pandas and matplotlib do not"),
    RealRow(name="threadpoolctl upgraded", install=("threadpoolctl==3.6.0",),
            should=frozenset({_LEARN}), why="scikit-learn imports it"),
    RealRow(name="pytz upgraded", install=("pytz==2025.1",), should=_PANDAS,
            why=f"pandas imports it, and {_FIXES}"),
    RealRow(name="python-dateutil downgraded", install=("python-dateutil==2.8.2",),
            should=_THREE, why=f"pandas and matplotlib import it, and {_FIXES}"),
    RealRow(name="kiwisolver upgraded", install=("kiwisolver==1.4.8",),
            should=frozenset({_PLOT}), why="matplotlib imports it"),
    RealRow(name="bottleneck appears", install=("bottleneck==1.4.2",),
            should=_PANDAS, why=f"pandas looked for it in vain and uses it now, and {_FIXES}"),
    RealRow(name="tabulate removed, black and isort new", install=("black==24.10.0", "isort"),
            should=frozenset(), why="nobody imports them"),
)  # fmt: skip


def names() -> tuple[str, ...]:
    """The names of these rows, as they are selected by."""
    return tuple(f"real packages: {row.name}" for row in ROWS)


def run(folder: Path, chosen: frozenset[str]) -> Iterator[Result]:
    """The chosen rows; none where the packages cannot be had."""
    bench = _Real(folder)
    if not bench.sync():
        print("real packages: neither the index nor uv's cache has them", file=sys.stderr)
        return
    bench.build()
    for row in ROWS:
        if f"real packages: {row.name}" in chosen:
            yield bench.run_row(row)


class _Real(Pipeline):
    """A repository with real packages; put back by installing what was there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environ = {
            "HOME": str(folder),
            "MPLCONFIGDIR": str(folder / "matplotlib"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "DVC_NO_ANALYTICS": "1",
            **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
        }
        self._pins = folder / "pins.txt"

    def sync(self, *more: str) -> bool:
        """Install exactly the base, with `more` in place of what it names or beside it."""
        replaced = {each.partition("==")[0] for each in more}
        kept = [each for each in _BASE if each.partition("==")[0] not in replaced]
        if not replaced.isdisjoint({"black"}):
            kept.remove("tabulate==0.9.0")
        self._pins.write_text("\n".join([*kept, *more]) + "\n")
        return _uv("install", "--python", self.venv.python, "-r", self._pins) and (
            self._remove_what_is_not(["tabulate", "bottleneck", "black", "isort"], [*kept, *more])
        )

    def _remove_what_is_not(self, candidates: list[str], pins: list[str]) -> bool:
        kept = {each.partition("==")[0] for each in pins}
        return _uv(
            "uninstall", "--python", self.venv.python, *(set(candidates) - kept or {"isort"})
        )

    def build(self) -> None:
        """The repository, with every stage up to date."""
        stages = ["stages:"]
        files = {}
        for stage, code in _SCRIPTS.items():
            write = f"open('{stage}.txt', 'w').write(text)\n"
            files[f"{stage}.py"] = code + write
            stages += [f"  {stage}:", f"    cmd: python {stage}.py", "    deps:"]
            stages += [f"    - {stage}.py", "    outs:", f"    - {stage}.txt"]
        stages += [f"  {_SHELL}:", "    cmd: sort frames.py > shell.txt", "    deps:"]
        stages += ["    - frames.py", "    outs:", "    - shell.txt"]
        self.create("\n".join(stages) + "\n", **files)
        self.write("envstage.yaml", _CONFIGURATION)
        self.track(*_SCRIPTS, _SHELL)
        self.repro()
        self.repro()

    def run_row(self, row: RealRow) -> Result:
        """Install, reproduce, put back, reproduce."""
        start = time.monotonic()
        if not self.sync(*row.install):
            raise AssertionError(f"{row.name}: cannot be installed")
        output = self.repro("-k", code=None)
        self.sync()
        back = self.repro("-k", code=None)
        own = {*_SCRIPTS, _SHELL}
        return Result(
            row=Row(group="real packages", name=row.name, why=row.why, should=row.should,
                    change=lambda bench: None),
            did={ENVSTAGE: frozenset(self.ran(output) & own)},
            back=frozenset(self.ran(back) & own),
            kind=REAL,
            stages=frozenset(own),
            seconds=time.monotonic() - start,
            output=f"{output}\n----\n{back}",
        )  # fmt: skip


def _uv(*words: str | Path) -> bool:
    done = subprocess.run([UV, "pip", *map(str, words)], capture_output=True, check=False)
    return done.returncode == 0
