"""The environments that are measured: two real ones, two synthetic ones."""

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.speed.processes import inherited
from tests.wheels import UV

REPOSITORY: Final = Path(__file__).parents[2]
TORCH: Final = "torch==2.13.0"
_SMALL: Final = ("scikit-learn", "matplotlib")
_LARGE: Final = tuple(
    """
    dvc==3.67.1 snakemake==9.27.1 mlflow wandb pandas scikit-learn matplotlib seaborn xgboost-cpu
    transformers datasets fastapi uvicorn jupyter dask distributed scrapy sphinx bokeh altair
    pytest hypothesis pylint black pipdeptree cyclonedx-bom
    """.split()
)
_STAMP: Final = "complete"
_FILES: Final = 30


class Environment:
    """A virtual environment with envstage, pip and uv in it, and a project that describes it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.venv = self.folder / "venv"
        self.bin = self.venv / "bin"
        self.python = self.bin / "python"

    @property
    def environ(self) -> dict[str, str]:
        """What a shell has after activating it; a cache of its own."""
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return {
            "PATH": path,
            "VIRTUAL_ENV": str(self.venv),
            "ENVSTAGE_CACHE": str(self.folder / "cache"),
            "DVC_NO_ANALYTICS": "1",
        }

    @property
    def site(self) -> Path:
        """Its site-packages."""
        return next((self.venv / "lib").glob("python3*/site-packages"))

    def distributions(self) -> int:
        """How many are installed."""
        return sum(name.endswith(".dist-info") for name in os.listdir(self.site))

    def make(self, requirements: Sequence[str], *, torch: bool = False, synthetic: int = 0) -> None:
        """Create it, unless it is there; envstage is installed anew, as it is now."""
        stamp = self.folder / _STAMP
        wanted = f"{' '.join(requirements)} {torch} {synthetic} {sys.version}"
        if not stamp.exists() or stamp.read_text() != wanted:
            self.folder.mkdir(parents=True, exist_ok=True)
            run(UV, "venv", "-q", "--clear", "--python", sys.executable, str(self.venv))
            self.install("pip", "uv", *requirements)
            if torch:
                # By pip and as it is configured: where the CPU build comes from is the
                # machine's business.
                run(str(self.python), "-m", "pip", "install", "-q", TORCH)
            for number in range(synthetic):
                _distribution(self.site, f"made-{number:04}")
            stamp.write_text(wanted)
        self.install("--reinstall-package", "envstage", "--no-cache-dir", str(REPOSITORY))

    def install(self, *what: str) -> None:
        """Install from the index that uv is configured for."""
        run(UV, "pip", "install", "-q", "--python", str(self.python), *what)

    def has(self, program: str) -> bool:
        """Whether the environment has this program."""
        return (self.bin / program).exists()


def all_of(folder: Path, *, torch: bool = True) -> tuple[Environment, ...]:
    """About 30, about 300, and 1,000 and 5,000 distributions."""
    small, large = Environment(folder, "small"), Environment(folder, "ml")
    small.make(_SMALL)
    large.make(_LARGE, torch=torch)
    made = []
    for count in (1000, 5000):
        environment = Environment(folder, str(count))
        environment.make(("pipdeptree",), synthetic=count - 25)
        made.append(environment)
    return (small, large, *made)


def run(*argv: str, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """Run a program; its output. `SystemExit` with what it said where it fails."""
    done = subprocess.run(
        argv, cwd=cwd, env={**inherited(), **(environ or {})}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _distribution(site: Path, name: str) -> None:
    """A distribution as an installer leaves it: a package of some files, and what tells of it."""
    module = name.replace("-", "_")
    package, info = site / module, site / f"{module}-1.0.dist-info"
    package.mkdir(exist_ok=True)
    info.mkdir(exist_ok=True)
    files = {f"{module}/part_{number}.py": b"x = %d\n" % number for number in range(_FILES)}
    files[f"{module}/__init__.py"] = b""
    files[f"{info.name}/WHEEL"] = b"Wheel-Version: 1.0\nTag: py3-none-any\n"
    files[f"{info.name}/INSTALLER"] = b"uv\n"
    described = "A description.\n" * 200
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n{described}"
    files[f"{info.name}/METADATA"] = metadata.encode()
    rows = []
    for path, content in files.items():
        (site / path).write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}")
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,"]) + "\n")
