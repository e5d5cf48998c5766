"""A project on a machine that holds one secret wherever a machine can hold any."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from envstage.cli import main
from tests.trust.planting import Secret
from tests.wheels import Venv

COMMANDS = (
    "capture",
    "capture --json",
    "show",
    "show --all",
    "show --json",
    "diff now",
    "diff HEAD now --json",
    "check",
    "check --fix",
    "check --json",
    "log --json",
    "export requirements",
    "export conda",
    "export conda-explicit",
    "export dockerfile",
    "export mqc-versions",
    "export requirements --hashes --offline",
    "export pylock --offline",
    "recreate --offline --quiet",
    "recreate --container",
)


class Place:
    """A folder with a project, its interpreter's environment, a HOME and a cache."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "project"
        self.home = base / "home"
        self.tools = base / "tools"
        base.mkdir(exist_ok=True)
        for folder in (self.root, self.home, self.tools):
            folder.mkdir()
        self.venv = Venv(base / "venv")
        self.distribution("plain", "1.0")
        self.write("envstage.yaml", "{}\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "start")
        self.environ: dict[str, str] = {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(base / "cache"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "UV_CACHE_DIR": str(base / "uv-cache"),
            "PATH": os.pathsep.join(
                [str(self.venv.bin), str(self.tools), "/usr/local/bin", "/usr/bin", "/bin"]
            ),
        }

    def write(self, name: str, text: str, folder: Path | None = None) -> Path:
        path = (folder or self.root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def git(self, *words: str, folder: Path | None = None) -> None:
        subprocess.run(("git", *words), cwd=folder or self.root, check=True, capture_output=True)

    def distribution(self, name: str, version: str, **files: str) -> None:
        """A distribution as an installer leaves it, made by hand."""
        info = f"{name}-{version}.dist-info"
        content = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            "RECORD": f"{name}.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n",
        }
        for file, text in (
            content | {key.replace("__", "."): v for key, v in files.items()}
        ).items():
            self.write(f"{info}/{file}", text, self.venv.site)

    def tool(self, name: str, script: str) -> None:
        self.write(name, f"#!/bin/sh\n{script}\n", self.tools).chmod(0o755)

    def said(self, *words: str, argv: tuple[str, ...] = ()) -> tuple[int, str]:
        """Run a command in this process: its exit code and both streams."""
        out = io.StringIO()
        with (
            mock.patch.dict(os.environ, self.environ, clear=True),
            mock.patch.object(sys, "argv", ["envstage", *words, *argv]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
        ):
            try:
                code = main([words[0], "-C", str(self.root), *words[1:]])
            except SystemExit as ended:
                code = int(ended.code or 0)
        return code, out.getvalue()

    def contents(self) -> dict[str, bytes]:
        """Every file below, Git's own and the installer's excepted."""
        return dict(self._contents())

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for folder, folders, names in os.walk(self.base):
            folders[:] = [each for each in folders if each not in (".git", "uv-cache", "lib")]
            for name in names:
                path = Path(folder, name)
                if path.is_file():
                    yield str(path.relative_to(self.base)), path.read_bytes()


def plant(place: Place, secret: Secret) -> tuple[str, ...]:
    """Put a secret wherever the machine can hold it; gives the words of a command line."""
    text, needle = secret.text, secret.needle
    flat = needle.replace("\n", "") if secret.kind == "PEM block" else needle
    urls = {
        "user": f"https://{flat}@host.example.org/simple",
        "password": f"https://me:{flat}@host.example.org/simple",
        "query": f"https://host.example.org/a-1.0-py3-none-any.whl?token={flat}",
        "fragment": f"https://host.example.org/a-1.0.tar.gz#subdirectory=x&token={flat}",
    }
    if secret.is_token or secret.kind == "path token":
        urls["path"] = f"https://pypi.example.org/{flat}/me/a-1.0-py3-none-any.whl"
    _distributions(place, secret, urls)
    _configuration(place, urls, text)
    _git(place, secret, urls)
    place.tool("samtools", f"cat <<'END'\nsamtools 1.19 of {text}\nEND")
    place.tool("bwa", f"cat <<'END'\n{text}\nEND\nexit 1")
    place.write(
        "envstage.yaml",
        json.dumps(
            {
                "environments": {"main": {"level": "hardware"}},
                "variables": {"watch": ["MY_FLAG", "*_PASSWORD", "GREETING"]},
                "tools": ["samtools", "bwa"],
                "container": {"image": f"me:{flat}@registry.example.org/train:1"},
            }
        ),
    )
    place.environ |= _variables(secret, urls)
    return ("--password", flat, f"--url={urls['password']}", text)


def _variables(secret: Secret, urls: Mapping[str, str]) -> dict[str, str]:
    found = {
        "MY_FLAG": secret.text,
        "GREETING": f"hello {secret.text} and more",
        "DB_PASSWORD": secret.needle,
        "XLA_FLAGS": f"--xla_gpu_autotune_level=0 {secret.text}",
        "KERAS_BACKEND": secret.text,
        "PIP_INDEX_URL": urls["user"],
        "PIP_EXTRA_INDEX_URL": f"{urls['password']} {urls['query']}",
        "UV_INDEX": f"corp={urls['password']}",
        "UV_DEFAULT_INDEX": urls.get("path", urls["user"]),
        "USER": secret.text,
        "HOSTNAME": secret.text,
        "DVC_STAGE": secret.text,
        "APPTAINER_CONTAINER": f"/images/{secret.needle}.sif",
        "container": secret.needle,
    }
    return {name: value for name, value in found.items() if "\0" not in value}


def _distributions(place: Place, secret: Secret, urls: Mapping[str, str]) -> None:
    for name, url in urls.items():
        direct = {"url": url, "archive_info": {"hash": "sha256=" + "a" * 64}}
        place.distribution(f"archive{name}", "1.0", direct_url__json=json.dumps(direct))
        vcs = {"url": url, "vcs_info": {"vcs": "git", "commit_id": "b" * 40}}
        place.distribution(f"vcs{name}", "1.0", direct_url__json=json.dumps(vcs))
    local = {"url": f"file:///wheels/{secret.needle}/a-1.0-py3-none-any.whl", "archive_info": {}}
    place.distribution("local", "1.0", direct_url__json=json.dumps(local))
    inner = {"url": "https://h.example.org/o/p", "subdirectory": f"x/{secret.text}"}
    place.distribution(
        "inner",
        "1.0",
        direct_url__json=json.dumps({**inner, "vcs_info": {"vcs": "git", "commit_id": "c" * 40}}),
    )
    place.distribution(
        "texts",
        "1.0",
        INSTALLER=secret.text,
        entry_points__txt=f"[group]\nname = module:{secret.text}\n",
        METADATA=f"Name: texts\nVersion: 1.0+{secret.text}\n",
    )
    if secret.is_name():
        place.distribution(
            "version", "1.0", METADATA=f"Name: version\nVersion: 1.0+{secret.needle}\n"
        )


def _configuration(place: Place, urls: Mapping[str, str], text: str) -> None:
    listed = "\n    ".join(urls.values())
    pip = f"[global]\nindex-url = {urls['user']}\nextra-index-url =\n    {listed}\n# {text!r}\n"
    place.write(".config/pip/pip.conf", pip, place.home)
    place.write("pip.conf", pip, place.venv.folder)
    tables = "".join(f"[[index]]\nurl = {json.dumps(url)}\n" for url in urls.values())
    place.write("uv.toml", tables)
    place.write("requirements.txt", f"--index-url {urls['password']}\nplain==1.0\n")


def _git(place: Place, secret: Secret, urls: Mapping[str, str]) -> None:
    checkout = place.base / "checkout"
    if not checkout.exists():
        place.write("pyproject.toml", '[project]\nname = "edited"\nversion = "1"\n', checkout)
        place.git("init", "-q", "-b", "main", folder=checkout)
        place.git("add", "-A", folder=checkout)
        place.git("commit", "-q", "-m", "start", folder=checkout)
    for folder in (place.root, checkout):
        for name, url in urls.items():
            with contextlib.suppress(subprocess.CalledProcessError):
                place.git("remote", "add", name, "https://h.example.org/x", folder=folder)
            place.git("config", f"remote.{name}.url", url, folder=folder)
    if secret.is_name():
        place.git("checkout", "-q", "-B", f"try/{secret.needle}")
    direct = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    place.distribution("edited", "1.0", direct_url__json=json.dumps(direct))
