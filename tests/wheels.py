"""Real wheels, built by hand in milliseconds, and real virtual environments to install them in."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv") or "uv"


def build_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    files: Mapping[str, str | bytes] | None = None,
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
    entry_points: str = "",
    description: str = "",
    build: str = "",
) -> Path:
    """Write `name-version-tag.whl`; without `files` it holds one module of the same name."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    content: dict[str, bytes] = {
        path: text.encode() if isinstance(text, str) else text
        for path, text in (files or {f"{module}/__init__.py": f"version = {version!r}\n"}).items()
    }
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
    content[f"{info}/METADATA"] = f"{metadata}\n{description}\n".encode()
    content[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    )
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points.encode()
    rows = [f"{path},{_hash(data)},{len(data)}" for path, data in content.items()]
    rows.append(f"{info}/RECORD,,")
    content[f"{info}/RECORD"] = ("\n".join(rows) + "\n").encode()
    build_part = f"-{build}" if build else ""
    path = folder / f"{module}-{version}{build_part}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name_in_zip, data in content.items():
            archive.writestr(zipfile.ZipInfo(name_in_zip, (2020, 1, 1, 0, 0, 0)), data)
    return path


# Looked up before a test replaces HOME.
_PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def interpreter(version: str) -> str | None:
    """Another Python of this machine (`3.8`), from pyenv or PATH; None where there is none."""
    found = sorted(_PYENV.glob(f"{version}.*/bin/python")) if os.access(_PYENV, os.R_OK) else []
    python = str(found[-1]) if found else shutil.which(f"python{version}")
    # A shim (pyenv, asdf) may stand for a version that is not there.
    starts = python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
    return python if starts else None


class Venv:
    """A virtual environment of the interpreter that runs the tests, or of another."""

    def __init__(self, folder: Path, *, python: str = sys.executable, options: str = "") -> None:
        self.folder = folder
        _quiet(UV, "venv", "-q", "--python", python, *options.split(), str(folder))

    @classmethod
    def at(cls, folder: Path) -> "Venv":
        """One that is there already."""
        venv = cls.__new__(cls)
        venv.folder = folder
        return venv

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def bin(self) -> Path:
        return self.python.parent

    @property
    def site(self) -> Path:
        """The site-packages folder."""
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return self.folder / "lib" / version / "site-packages"

    def install(self, *wheels: Path) -> None:
        """Install wheels with uv, as from an index: their folders stand for one."""
        _quiet(
            *(UV, "pip", "install", "-q", "--offline", "--no-index", "--reinstall", "--no-cache"),
            *("--no-deps", "--python", str(self.python), *_as_from_an_index(wheels)),
        )

    def pip_install(self, *wheels: Path) -> None:
        """The same with pip, which must be installed in the tests' own environment."""
        _quiet(
            *(sys.executable, "-m", "pip", "--python", str(self.python), "install", "-q"),
            *("--no-index", "--no-deps", "--force-reinstall", "--disable-pip-version-check"),
            *_as_from_an_index(wheels),
        )

    def install_direct(self, *what: str | Path) -> None:
        """Install files, folders (`-e`, `path`) or URLs: a direct_url.json is left."""
        _quiet(
            *(UV, "pip", "install", "-q", "--offline", "--no-index", "--reinstall", "--no-cache"),
            *("--no-deps", "--no-build-isolation", "--python", str(self.python)),
            *map(str, what),
        )

    def uninstall(self, *names: str) -> None:
        _quiet(UV, "pip", "uninstall", "-q", "--python", str(self.python), *names)


def _as_from_an_index(wheels: Sequence[Path]) -> list[str]:
    folders = sorted({str(wheel.parent) for wheel in wheels})
    pins = ["==".join(wheel.name.split("-")[:2]) for wheel in wheels]
    return [*(word for folder in folders for word in ("--find-links", folder)), *pins]


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


def _quiet(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
