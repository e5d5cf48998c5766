"""What the other observer saw, as distributions: by the files that `importlib.metadata` lists."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

# Under the environment's own interpreter; editable installs by the folder that they name.
_OWNERS: Final = """
import importlib.metadata, json, os, re, urllib.parse
owners, folders = {}, {}
for each in importlib.metadata.distributions():
    name = re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower()
    for path in each.files or ():
        owners.setdefault(os.path.realpath(path.locate()), name)
    url = json.loads(each.read_text("direct_url.json") or "{}")
    if url.get("dir_info", {}).get("editable"):
        folders[urllib.parse.unquote(url["url"].partition("://")[2]).rstrip("/")] = name
print(json.dumps([owners, folders]))
"""


class Owners(msgspec.Struct, frozen=True, kw_only=True):
    """Which distribution each installed file belongs to."""

    files: Mapping[str, str]
    checkouts: Mapping[str, str]

    def of(self, path: str) -> str | None:
        """The distribution of a file."""
        real = os.path.realpath(path)
        found = self.files.get(real)
        if found is not None:
            return found
        for folder, name in self.checkouts.items():
            if real.startswith(folder + os.sep):
                return name
        return None

    @property
    def names(self) -> frozenset[str]:
        """All that is installed."""
        return frozenset(self.files.values()) | frozenset(self.checkouts.values())


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What stood in `sys.modules` of all processes.

    Attributes:
        packages: distributions.
        loose: files in site-packages that no distribution installed.
        silent: how many processes began and left no list.
    """

    packages: frozenset[str]
    loose: frozenset[str]
    processes: int
    silent: int


def owners_of(python: str) -> Owners:
    """Ask the environment's interpreter."""
    output = subprocess.run([python, "-c", _OWNERS], check=True, capture_output=True).stdout
    files, checkouts = json.loads(output)
    return Owners(files=files, checkouts=checkouts)


def listed_files(folder: Path) -> frozenset[str]:
    """The files of all modules that the processes of one run listed."""
    return frozenset(
        line.rstrip("\n").partition("\t")[2]
        for path in folder.glob("*.ended")
        for line in path.read_text(errors="surrogateescape").splitlines()
    )


def truth_in(folder: Path, owners: Owners, less: frozenset[str] = frozenset()) -> Truth:
    """Read what the processes of one run left, less what every process loads at its start."""
    files = listed_files(folder) - less
    begun = {path.stem for path in folder.glob("*.begun")}
    ended = {path.stem for path in folder.glob("*.ended")}
    by_file = {file: owners.of(file) for file in files if file}
    return Truth(
        packages=frozenset(name for name in by_file.values() if name),
        loose=frozenset(file for file, name in by_file.items() if not name and _is_loose(file)),
        processes=len(begun),
        silent=len(begun - ended),
    )


def _is_loose(file: str) -> bool:
    return "site-packages" in file and "observed_truth" not in file
