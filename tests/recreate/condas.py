"""A stand-in for conda's programs: they cannot be had from an index of Python packages.

It takes the words that envstage starts `conda install` with, and real archives (.tar.bz2) of a
folder: it checks their digests, unpacks them, and writes the records that conda writes. It solves
nothing, links nothing, and knows no server.
"""

import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

from tests.wheels import UV, build_wheel

CHANNEL = "https://conda.anaconda.org/conda-forge"
_PROGRAM = """#!{python}
import hashlib, io, json, os, subprocess, sys, tarfile

CHANNEL, LOG, UV = {channel!r}, {log!r}, {uv!r}
words = sys.argv[1:]
if words == ["--version"]:
    sys.exit(print("2.3.0"))
with open(LOG, "a") as log:
    log.write(json.dumps(words) + "\\n")
prefix, listed = (words[words.index(name) + 1] for name in ("--prefix", "--file"))
if not os.path.isfile(os.path.join(prefix, "conda-meta", "history")):
    sys.exit("critical libmamba Expected environment not found at prefix: " + prefix)
lines = [line.strip() for line in open(listed) if not line.startswith("#")]
assert lines[0] == "@EXPLICIT", lines
for line in lines[1:]:
    url, _, md5 = line.partition("#")
    file = url.rpartition("/")[2]
    try:
        data = open(os.path.join(CHANNEL, file), "rb").read()
    except OSError:
        sys.exit("critical libmamba Download error (404 Not Found) " + url)
    if hashlib.md5(data).hexdigest() != md5:
        sys.exit("critical libmamba Invalid checksum of " + file)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        record = json.load(archive.extractfile("info/index.json"))
        members = [each for each in archive.getmembers() if not each.name.startswith("info/")]
        archive.extractall(prefix, members)
    record.update(url=url, md5=md5, channel=url.rsplit("/", 2)[0], files=[m.name for m in members])
    with open(os.path.join(prefix, "conda-meta", file[:-8] + ".json"), "w") as out:
        json.dump(record, out)
    if record["name"] == "python":
        make = [UV, "venv", "-q", "--allow-existing", "--python", sys.executable, prefix]
        subprocess.run(make, check=True)
"""


class Channel:
    """A folder of archives, the list of them, and the stand-in that installs from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "channel"
        self.log = folder / "conda.log"
        self.bin = folder / "conda-bin"
        for each in (self.folder, self.bin):
            each.mkdir(parents=True)
        program = self.bin / "micromamba"
        program.write_text(
            _PROGRAM.format(
                python=sys.executable, channel=str(self.folder), log=str(self.log), uv=UV
            )
        )
        program.chmod(0o755)
        self.lines: list[str] = []

    def add(self, name: str, version: str, files: dict[str, bytes]) -> Path:
        """An archive as conda builds them."""
        path = self.folder / f"{name}-{version}-0.tar.bz2"
        index = {"name": name, "version": version, "build": "0", "subdir": "noarch"}
        with tarfile.open(path, "w:bz2") as archive:
            for inner, data in {"info/index.json": json.dumps(index).encode(), **files}.items():
                member = tarfile.TarInfo(inner)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        self.lines.append(f"{CHANNEL}/noarch/{path.name}#{digest}")
        return path

    def add_python_package(self, wheelhouse: Path, name: str, version: str) -> Path:
        """An archive of a Python package: the files of a wheel where conda puts them."""
        import zipfile

        minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        with zipfile.ZipFile(build_wheel(wheelhouse, name, version)) as wheel:
            files = {
                f"lib/{minor}/site-packages/{each}": wheel.read(each) for each in wheel.namelist()
            }
        return self.add(name, version, files)

    def install(self, prefix: Path) -> None:
        """An environment with everything in the channel."""
        import subprocess

        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "conda-meta" / "history").touch()
        listed = prefix / "list.txt"
        listed.write_text("\n".join(["@EXPLICIT", *self.lines]) + "\n")
        argv = [str(self.bin / "micromamba"), "install", "--prefix", str(prefix), "--file"]
        subprocess.run([*argv, str(listed)], check=True)
        listed.unlink()
        os.unlink(self.log)

    @property
    def calls(self) -> list[list[str]]:
        """The words of every call since."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]
