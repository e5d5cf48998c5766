"""What an index serves for a package: the files and their digests, found out by somebody else.

Formats that need them (`--hashes`, pylock) take them as a value: they ask no index themselves.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from envstage.export.packages import Package


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel or source archive."""

    filename: str
    url: str
    sha256: str
    size_bytes: int | None = None

    @property
    def is_wheel(self) -> bool:
        """Whether it can be installed as it is."""
        return self.filename.endswith(".whl")


Artifacts: TypeAlias = Mapping[str, Sequence[Artifact]]
"""The files of each package, by its name."""


def captured(package: Package, files: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """The file that the snapshot's package was installed from, as its tags tell; else all files.

    Of a package that was compiled where it was captured, that is the source archive.
    """
    sources = tuple(each for each in files if not each.is_wheel)
    if package.is_own_build:
        return sources or tuple(files)
    wanted = frozenset(package.tags)
    exact = tuple(each for each in files if each.is_wheel and wanted and _tags(each) == wanted)
    return exact or tuple(files)


def _tags(wheel: Artifact) -> frozenset[str]:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        return frozenset(str(tag) for tag in parse_wheel_filename(wheel.filename)[3])
    except InvalidWheelFilename:
        return frozenset()
