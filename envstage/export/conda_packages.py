"""What conda installed, as conda's own formats need it; nothing hostile in it (case 26)."""

import re
from typing import Final

import msgspec

from envstage.snapshot.model import Snapshot

_WORD: Final = re.compile(r"[A-Za-z0-9_.!+~-]{1,200}")
# Neither begins with `-`: conda's programs would take it for an option.
_NAME: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.!+~-]{0,199}")
_CHANNEL: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*|https?://[A-Za-z0-9_.:/-]+")
_ARCHIVE: Final = re.compile(r"[a-z0-9-]+/[A-Za-z0-9_.!+~-]+(?:\.conda|\.tar\.bz2)")
_MD5: Final = re.compile(r"[0-9a-f]{32}")


class CondaPin(msgspec.Struct, frozen=True, kw_only=True):
    """One package of conda's."""

    name: str
    version: str
    build: str | None = None
    channel: str | None = None
    md5: str | None = None
    archive: str | None = None

    @property
    def spec(self) -> str:
        """As environment.yml pins it: `numpy=1.26.4=py311h64a7726_0`."""
        return "=".join([self.name, self.version, *([self.build] if self.build else [])])


def conda_pins(snapshot: Snapshot) -> tuple[CondaPin, ...]:
    """conda's packages, in the order of their names."""
    names = sorted({each[1] for each in snapshot.facts if each[0] == "conda" and len(each) == 3})
    return tuple(pin for name in names if (pin := _pin(snapshot, name)) is not None)


def _pin(snapshot: Snapshot, name: str) -> CondaPin | None:
    def text(key: str, pattern: re.Pattern[str]) -> str | None:
        value = snapshot.facts.get(("conda", name, key))
        return value if isinstance(value, str) and pattern.fullmatch(value) else None

    version = text("version", _WORD)
    if version is None or not _NAME.fullmatch(name):
        return None
    return CondaPin(
        name=name,
        version=version,
        build=text("build", _WORD),
        channel=text("channel", _CHANNEL),
        md5=text("md5", _MD5),
        archive=text("archive", _ARCHIVE),
    )
