"""Projects to install from source without a network: each brings its own little build backend."""

import subprocess
from pathlib import Path

# PEP 517 and PEP 660 with the standard library alone.
_BACKEND = """\
import base64, hashlib, pathlib, zipfile

NAME, VERSION = {name!r}, {version!r}


def _wheel(folder, files):
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    about = f"Name: {{NAME}}\\nVersion: {{VERSION}}\\n"
    files[f"{{info}}/METADATA"] = f"Metadata-Version: 2.1\\n{{about}}"
    files[f"{{info}}/WHEEL"] = (
        "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    )
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        rows.append(f"{{path}},sha256={{digest.decode()}},{{len(text.encode())}}")
    files[f"{{info}}/RECORD"] = "\\n".join([*rows, f"{{info}}/RECORD,,", ""])
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name


def build_wheel(folder, settings=None, metadata=None):
    return _wheel(folder, {{p.as_posix(): p.read_text() for p in pathlib.Path(NAME).glob("*.py")}})


def build_editable(folder, settings=None, metadata=None):
    return _wheel(folder, {{f"_{{NAME}}.pth": str(pathlib.Path.cwd()) + "\\n"}})
"""
_PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
version = "{version}"
"""


def source_project(folder: Path, name: str, version: str) -> Path:
    """A project with one package of one module, in a folder that is made."""
    (folder / name).mkdir(parents=True)
    (folder / "pyproject.toml").write_text(_PROJECT.format(name=name, version=version))
    (folder / "backend.py").write_text(_BACKEND.format(name=name, version=version))
    (folder / name / "__init__.py").write_text(f"version = {version!r}\n")
    return folder


def commit_all(folder: Path) -> str:
    """Commit everything in a folder, a new Git repository if need be; the commit."""
    git = ("git", "-C", str(folder))
    if not (folder / ".git").exists():
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "a change"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return head.stdout.strip()
