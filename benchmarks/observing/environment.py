"""The shared environment that the scripts run in: made once, kept in a folder."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.observing import demo
from tests.wheels import UV, build_wheel

# Loosely named: the table is about what is used, not about versions.
REQUIREMENTS: Final = tuple(
    """
    numpy pandas scikit-learn scipy pyarrow numexpr bottleneck matplotlib seaborn statsmodels
    xgboost-cpu lightgbm transformers hydra-core omegaconf click typer papermill nbconvert
    ipykernel joblib polars pyyaml tomli requests rich tqdm networkx sympy pillow h5py numba dask
    distributed jinja2 pydantic attrs pluggy stevedore setuptools hatchling editables wheel pip
    """.split()
)
# A few, for the tests.
LIGHT: Final = tuple(
    """
    numpy pandas joblib pyyaml tomli jinja2 networkx pydantic pluggy attrs click typer tqdm
    setuptools hatchling editables
    """.split()
)
TORCH: Final = "torch==2.13.0"
_STAMP: Final = "complete"


class Environment:
    """A virtual environment with the scripts' packages and the demonstration packages."""

    def __init__(self, folder: Path, requirements: tuple[str, ...], torch: str = "") -> None:
        self.folder = folder.resolve()
        self.requirements = requirements
        self.torch = torch
        self.bin = self.folder / "venv" / "bin"
        self.python = self.bin / "python"

    def make(self) -> None:
        """Create it, unless it is there with these requirements."""
        stamp = self.folder / _STAMP
        if stamp.exists() and stamp.read_text() == self._identity():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        _run(UV, "venv", "-q", "--seed", "--python", sys.executable, str(self.folder / "venv"))
        if self.torch:
            # By pip and as it is configured: where the CPU build comes from is the machine's
            # business (PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu).
            _run(str(self.python), "-m", "pip", "install", "-q", self.torch)
        self._install(*self.requirements)
        self._add_demonstrations()
        stamp.write_text(self._identity())

    def _identity(self) -> str:
        hook = Path(__file__).with_name("truth_hook.py")
        sources = Path(demo.__file__).read_bytes() + hook.read_bytes()
        text = " ".join((*self.requirements, self.torch, sys.version))
        return hashlib.sha256(sources + text.encode()).hexdigest()

    def _install(self, *what: str) -> None:
        _run(UV, "pip", "install", "-q", "--python", str(self.python), *what)

    def _add_demonstrations(self) -> None:
        wheels = self.folder / "wheels"
        wheels.mkdir()
        for name, package in demo.WHEELS.items():
            build_wheel(wheels, name, "1.0", files=package.files, entry_points=package.entry_points)
        self._install("--no-deps", "--no-index", "--find-links", str(wheels), *demo.WHEELS)
        for name, files in demo.CHECKOUTS.items():
            for path, text in files.items():
                target = self.folder / "checkouts" / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            checkout = str(self.folder / "checkouts" / name)
            self._install("--no-deps", "--no-build-isolation", "-e", checkout)
        [site] = (self.folder / "venv" / "lib").glob("python*/site-packages")
        for path, text in demo.LOOSE.items():
            (site / path).write_text(text)
        shutil.copy(Path(__file__).with_name("truth_hook.py"), site / "observed_truth_hook.py")
        (site / "observed_truth.pth").write_text("import observed_truth_hook\n")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} …: {done.stderr.strip()[-2000:]}")
