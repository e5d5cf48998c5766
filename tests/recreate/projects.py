"""Projects with a real environment, and what `envstage` does in them, without a network."""

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from envstage.cli import main
from tests.wheels import Venv

# A build backend in the tree: nothing is downloaded to build with.
BACKEND = """
import base64, hashlib, os, zipfile

NAME, VERSION = "{name}", "{version}"
INFO = NAME + "-" + VERSION + ".dist-info"


def _wheel(folder, files):
    head = "Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n"
    files[INFO + "/METADATA"] = head % (NAME, VERSION)
    files[INFO + "/WHEEL"] = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    rows = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        rows += "%s,sha256=%s,%d\\n" % (path, digest.decode(), len(text.encode()))
    files[INFO + "/RECORD"] = rows + INFO + "/RECORD,,\\n"
    name = "%s-%s-py3-none-any.whl" % (NAME, VERSION)
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    source = os.path.join("src", NAME, "__init__.py")
    with open(source) as file:
        return _wheel(wheel_directory, {{NAME + "/__init__.py": file.read()}})


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, {{"_%s.pth" % NAME: os.path.abspath("src") + "\\n"}})
"""


def source_tree(folder: Path, name: str, version: str = "0.1", code: str = "value = 1\n") -> Path:
    """A project that builds itself."""
    (folder / "src" / name).mkdir(parents=True)
    (folder / "src" / name / "__init__.py").write_text(code)
    (folder / "backend.py").write_text(BACKEND.format(name=name, version=version))
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n'
    )
    return folder


def git(folder: Path, *words: str) -> str:
    argv = ["git", "-C", str(folder), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(folder: Path, message: str = "work") -> str:
    """Everything in the folder as a commit; its digest."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


class Project:
    """A repository with an environment of its own, and envstage's commands in it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        root.mkdir(parents=True)
        self.venv = Venv(root / ".venv")
        (root / "envstage.yaml").write_text(
            "environments:\n  main: {python: .venv/bin/python, level: platform}\n"
            "views:\n  train: {}\n"
        )
        (root / ".gitignore").write_text(".venv\n.envstage\n")
        git(root, "init", "-q", "-b", "main")

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        self._capsys.readouterr()
        code = main([words[0], "-C", str(self.root), *words[1:]])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def capture(self) -> dict[str, Any]:
        """Take the snapshot; the facts of its packages."""
        code, _, error = self.run("capture")
        assert code == 0, error
        text = (self.root / "environment" / "environment.json").read_text()
        packages: dict[str, Any] = json.loads(text)["facts"].get("packages", {})
        return packages

    def forget_this_machine(self) -> None:
        """As a clone on another machine is: without the context."""
        (self.root / "environment" / "context.json").unlink()

    @property
    def built(self) -> list[Path]:
        """The environments that were recreated."""
        folder = self.root / ".envstage" / "environments"
        return sorted(folder.iterdir()) if folder.is_dir() else []


@contextmanager
def served(answer: Callable[[str], tuple[int, bytes]]) -> Iterator[str]:
    """A real index on this machine: what it answers by path; its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = answer(self.path)
            self.send_response(code)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *values: object) -> None:
            """Tests are silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def index_of(*wheels: Path, attributes: Mapping[str, str] | None = None) -> Callable[[str], Any]:
    """An index (PEP 503) of wheels; `attributes` go into their links."""

    def answer(path: str) -> tuple[int, bytes]:
        name = path.strip("/").split("/")[-1]
        for wheel in wheels:
            if wheel.name == name:
                return 200, wheel.read_bytes()
        mine = [each for each in wheels if each.name.split("-")[0].replace("_", "-") == name]
        if not mine:
            return 404, b""
        extra = "".join(f' {key}="{text}"' for key, text in (attributes or {}).items())
        links = "".join(f'<a href="/files/{each.name}"{extra}>{each.name}</a>' for each in mine)
        return 200, f"<!DOCTYPE html><html><body>{links}</body></html>".encode()

    return answer


def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No index but those that a test names, whatever this machine is configured for."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
