"""What a `*.dist-info` or `*.egg-info` says of its distribution."""

from __future__ import annotations

import os
import re

from .record import build_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from .cache import Cache

# A METADATA header is at most some ten thousand bytes; the long description is not looked at.
_HEADER_BYTES = 256 * 1024
_FILE_BYTES = 4 * 1024 * 1024
_VALID_VERSION = re.compile(r"v?\d+(!\d+)?[A-Za-z0-9._+!-]*\Z")
_DIST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")


class Described:
    """One distribution: where it is, and what its files say."""

    def __init__(self, location: str, metadata_path: str, facts: dict[str, Any]) -> None:
        self.location = location
        self.metadata_path = metadata_path
        self.facts = facts

    @property
    def name(self) -> str:
        """The name as it is spelled."""
        return str(self.facts["name"])

    @property
    def version(self) -> str | None:
        """The version as it is spelled."""
        version = self.facts.get("version")
        return None if version is None else str(version)

    def fields(self, name: str) -> dict[str, Any]:
        """The answer's entry, under its normalised name."""
        entry = dict(self.facts)
        entry.update(name=name, location=self.location, metadata_path=self.metadata_path)
        return entry


def describe(folder: str, info: str, cache: Cache, anomalies: list[str]) -> Described | None:
    """Read `folder/info`; nothing (and an anomaly) where no distribution can be made of it."""
    path = folder + os.sep + info
    identity = _identity(path)
    facts = cache.get(info, identity)
    if facts is None:
        facts = _read(path, info)
        # A direct_url.json can hold a token (case 1): it stays where it is.
        if "direct_url" not in facts and not _may_hold_a_secret(facts):
            cache.put(info, identity, facts)
    for problem in facts.get("anomalies", ()):
        anomalies.append(problem)
    if facts.get("name") is None:
        return None
    facts = dict(facts)
    facts.pop("anomalies", None)
    return Described(folder, path, facts)


def _may_hold_a_secret(facts: dict[str, Any]) -> bool:
    """Whether a text of anybody's has a word like a token's in it: such a thing is not kept.

    A wrong yes costs the time to read it again.
    """
    texts = [facts.get(key) or "" for key in ("version", "installer", "entry_points")]
    texts += facts.get("anomalies", ())
    return any(
        len(re.findall("[0-9]", word)) >= 2
        for text in texts
        for word in re.findall(r"[A-Za-z0-9_+/-]{16,}", text)
    ) or any("://" in text or "-----" in text for text in texts)


def zipped(path: str) -> Iterator[Described]:
    """The distributions inside a zip file on the import path (eggs), by `importlib.metadata`."""
    if not path.lower().endswith((".egg", ".zip", ".whl", ".pyz")):
        return
    import importlib.metadata

    for found in importlib.metadata.distributions(path=[path]):
        try:
            name, version = found.metadata["Name"], found.version
        except Exception:  # a broken zip; the interpreter cannot import from it either
            continue
        if name and _DIST_NAME.match(name):
            facts = {"name": name, "version": None if version is None else clean(str(version))}
            yield Described(path, path, facts)


def _identity(path: str) -> list[list[int]]:
    """What tells that the files are those that were read: device, inode, size and times."""
    identity: list[list[int]] = []
    for name in ("RECORD", "METADATA", "entry_points.txt", ""):
        try:
            stat = os.stat(path + os.sep + name)
        except OSError:
            identity.append([])
            continue
        identity.append(
            [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
        )
    return identity


def _read(path: str, info: str) -> dict[str, Any]:
    anomalies: list[str] = []
    header = _header(path)
    stem = info.rpartition(".")[0] if info != "EGG-INFO" else ""
    if header is None and not _may_exist(path + os.sep + "RECORD"):
        return {
            "name": None,
            "anomalies": ["%s has neither METADATA nor RECORD: no distribution" % clean(info)],
        }
    name, version = _name_and_version(header or {}, stem, info, anomalies)
    facts: dict[str, Any] = {"name": name, "version": version}
    facts.update(_requirements((header or {}).get("requires-dist", "")))
    if info.lower().endswith(".dist-info"):
        facts.update(_wheel_facts(path, info))
    else:
        facts.update(_egg_facts(path))
    if anomalies:
        facts["anomalies"] = anomalies
    return facts


def _may_exist(path: str) -> bool:
    """Whether a file is there, or nobody here may know: that is not the same as absent."""
    try:
        os.stat(path)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _name_and_version(
    header: dict[str, str], stem: str, info: str, anomalies: list[str]
) -> tuple[str | None, str | None]:
    folder_name, _, folder_version = stem.partition("-")
    name = header.get("name")
    if name is None or not _DIST_NAME.match(name):
        anomalies.append("%s names no distribution in its METADATA" % clean(info))
        name = folder_name if _DIST_NAME.match(folder_name) else None
    version = header.get("version")
    if version is None:
        version = re.sub(r"-py\d+\.\d+.*\Z", "", folder_version) or None
    if version is not None and not _VALID_VERSION.match(version):
        anomalies.append("%s has the invalid version %s" % (clean(info), clean(version)))
        version = clean(version)
    return name, version


def clean(text: str) -> str:
    """A text from a file as one printable line (case 26: names can be hostile)."""
    return "".join(ch if ch.isprintable() else "?" for ch in text)[:200]


def _header(path: str) -> dict[str, str] | None:
    """`Name` and `Version` of METADATA or PKG-INFO, by lower-case key; None without a file."""
    for candidate in (path + os.sep + "METADATA", path + os.sep + "PKG-INFO", path):
        try:
            with open(candidate, "rb") as file:
                text = file.read(_HEADER_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
        return _fields(text)
    return None


def _fields(text: str) -> dict[str, str]:
    """The first `Name` and `Version`, and every `Requires-Dist`, one a line."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip():
            break
        key, _, value = line.partition(":")
        key, value = key.lower(), value.strip()
        if key in ("name", "version"):
            fields.setdefault(key, value)
        elif key == "requires-dist":
            fields[key] = fields[key] + "\n" + value if key in fields else value
    return fields


def _requirements(text: str) -> dict[str, Any]:
    """The names required, always (`requires`) and for an extra (`extras`); markers ignored."""
    always: set[str] = set()
    extra: set[str] = set()
    for line in text.split("\n"):
        match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
        if match:
            name = re.sub(r"[-_.]+", "-", match.group()).lower()
            (extra if re.search(r";.*\bextra\s*==", line) else always).add(name)
    return {"requires": sorted(always), "extras": sorted(extra - always)}


def _wheel_facts(path: str, info: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    installer = _text(path, "INSTALLER")
    if installer and installer.strip():
        facts["installer"] = clean(installer.strip().split("\n")[0])
    wheel = _text(path, "WHEEL") or ""
    tags = sorted(re.findall(r"(?m)^Tag:[ \t]*([\w.]+-[\w.]+-[\w.]+)\s*$", wheel))
    if tags:
        facts["tags"] = tags
    entry_points = _text(path, "entry_points.txt")
    if entry_points:
        facts["entry_points"] = entry_points
    direct_url = _text(path, "direct_url.json")
    if direct_url:
        facts["direct_url"] = direct_url
    # `linux_x86_64` is no platform that an index serves: compiled on this machine (case 29).
    facts["is_own_build"] = any("-linux_" in tag for tag in tags)
    facts["is_requested"] = os.path.exists(path + os.sep + "REQUESTED")
    facts.update(build_of(path, info, is_own_build=facts["is_own_build"]))
    return facts


def _egg_facts(path: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    tops = (_text(path, "top_level.txt") or "").split()
    if tops:
        facts["tops"] = sorted(tops)
    entry_points = _text(path, "entry_points.txt")
    if entry_points:
        facts["entry_points"] = entry_points
    return facts


def _text(path: str, name: str) -> str | None:
    try:
        with open(path + os.sep + name, "rb") as file:
            return file.read(_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
