"""Files that a run loaded code from, outside the import path: whose they are, what they are."""

import os
import re
from collections.abc import Iterator
from typing import Final

from envstage.facets.contract import Installed, ProbeAnswer

# What these hold was compiled from code and by packages that are facts themselves, under names
# made of digests, process ids and users; it may be deleted at any time.
_COMPILED: Final = re.compile(
    r"/(torchinductor_[^/]*|\.triton|triton|torch_extensions|\.cython|\.pyxbld|ipykernel_\d+)/"
    r"|/__autograph_generated_file[^/]*\.py$"
)
# The clocks of file systems are coarse.
_SLACK_S: Final = 0.05


def is_derived(path: str, began_s: float) -> bool:
    """Whether a file was made by a run, this one or an earlier one: its sources count, not it.

    Args:
        began_s: when the run began, as `time.time()`; 0 where nobody knows.
    """
    if _COMPILED.search(path):
        return True
    if not any(path.startswith(folder + os.sep) for folder in _temporary_folders()):
        return False
    try:
        return bool(began_s) and os.stat(path).st_ctime >= began_s - _SLACK_S
    except OSError:
        return not os.path.exists(archive_of(path))


def archive_of(path: str) -> str:
    """The file on disk that holds a path inside an archive; else the path."""
    folder = path
    while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder if os.path.isfile(folder) else path


class Programs:
    """Scripts of an environment's `bin` folder. They carry its path in their first line, and
    belong to the distribution that installed them (case 41)."""

    def __init__(self, probe: ProbeAnswer) -> None:
        self._distributions = probe.distributions
        self._folders = tuple(os.path.join(probe.prefix, name) for name in ("bin", "Scripts"))

    def owners(self, path: str) -> frozenset[str]:
        """The distributions that installed a script; none for other files."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            return frozenset()
        stem = name.removesuffix(".exe").removesuffix("-script.py")
        return frozenset(
            each.name
            for each in self._distributions
            if _declares(each, stem) or _installed(each, f"{os.path.basename(folder)}/{name}")
        )


def _declares(installed: Installed, name: str) -> bool:
    lines = installed.entry_points.splitlines()
    return any(name == line.partition("=")[0].strip() for line in lines if "=" in line)


def _installed(installed: Installed, relative: str) -> bool:
    ending = f"../{relative}"
    return any(line.partition(",")[0].endswith(ending) for line in _record(installed))


def _record(installed: Installed) -> Iterator[str]:
    try:
        path = os.path.join(installed.metadata_path, "RECORD")
        with open(path, encoding="utf-8", errors="replace") as file:
            # Of thousands of lines, those of files outside site-packages.
            yield from (line for line in file if line.startswith("../"))
    except OSError:
        return


def _temporary_folders() -> frozenset[str]:
    import tempfile  # 10 ms with what it brings along, for few runs

    named = (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")
    return frozenset(os.path.realpath(each) for each in named) | frozenset(named)
