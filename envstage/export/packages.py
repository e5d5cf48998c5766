"""The packages of a snapshot as formats need them: typed, and with nothing hostile in them.

A snapshot is a file that anybody may have written: what a format would take for an option, a
marker or a line of its own is left out here, once, and not in each format (case 26).
"""

import re
from typing import Final

import msgspec

from envstage.facets.origin import OWN
from envstage.snapshot.model import Facts, Snapshot, Value

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_VERSION: Final = re.compile(r"[A-Za-z0-9.!+_-]{1,200}")
# Nothing that pip expands (`$`), or takes for a marker (`;`), an option (a space) or a comment.
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._~:/@%+=&?!*(),\[\]-]+")
_COMMIT: Final = re.compile(r"[0-9A-Fa-f]{7,64}")
_SHA256: Final = re.compile(r"sha256:([0-9a-f]{64})")
_FOLDER: Final = re.compile(r"(?:\./)?(?!\.\.)[A-Za-z0-9._+@-]+(?:/(?!\.\.)[A-Za-z0-9._+@-]+)*|\.")
_VCS: Final = ("git+", "hg+", "svn+", "bzr+")
_REMOTE: Final = ("https:", "http:", "ssh:", "git:", "ftp:")
SOURCE_BUILD: Final = "source-"


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """One package. A text that is not what it should be is None, as if nobody knew.

    Attributes:
        url: where it was installed from: a repository (`git+https:…`), an archive, or a folder
            of the project (`./lib`).
        editable: the folder within the project, or words that say where it lies.
        sha256: of the archive that it was installed from.
        conda: the package of conda's that brought it.
        changes_sha256: of the edits that an editable checkout has beside its commit.
    """

    name: str
    version: str | None = None
    build: str | None = None
    source: str | None = None
    url: str | None = None
    commit: str | None = None
    subdirectory: str | None = None
    editable: str | None = None
    note: str | None = None
    sha256: str | None = None
    tags: tuple[str, ...] = ()
    conda: str | None = None
    is_edited: bool = False
    changes_sha256: str | None = None

    @property
    def is_own_code(self) -> bool:
        """Whether it is code of the project's own repository."""
        return self.note == OWN

    @property
    def is_own_build(self) -> bool:
        """Whether it was compiled on the machine that was captured (case 29)."""
        return (self.build or "").startswith(SOURCE_BUILD)

    @property
    def is_direct(self) -> bool:
        """Whether it came from somewhere else than an index."""
        return bool(self.url or self.editable or self.note or self.commit)

    @property
    def remote(self) -> str | None:
        """The URL, where another machine can reach it."""
        url = self.url or ""
        plain = url.partition("+")[2] if url.startswith(_VCS) else url
        return self.url if plain.startswith(_REMOTE) else None

    @property
    def is_repository(self) -> bool:
        """Whether it came from a repository."""
        return (self.url or "").startswith(_VCS)

    @property
    def folder(self) -> str | None:
        """The folder of the project that it was built from, or that is installed as editable."""
        if self.is_own_code:
            return self.editable
        return self.url if self.url == "." or (self.url or "").startswith("./") else None


def packages_of(snapshot: Snapshot) -> tuple[Package, ...]:
    """The packages of a snapshot, in the order of their names."""
    names = {address[1] for address in snapshot.facts if _is_of_package(address)}
    return tuple(_package(snapshot.facts, name) for name in sorted(names) if _NAME.fullmatch(name))


def unnamed(snapshot: Snapshot) -> int:
    """How many packages have names that no index could have."""
    names = {address[1] for address in snapshot.facts if _is_of_package(address)} - {"*"}
    return sum(not _NAME.fullmatch(name) for name in names)


def python_version(snapshot: Snapshot) -> str | None:
    """The interpreter's version, where it is known: `3.11.7`."""
    return _text(snapshot.facts.get(("python", "version")), _VERSION)


def _is_of_package(address: tuple[str, ...]) -> bool:
    return address[0] == "packages" and len(address) == 3


def _package(facts: Facts, name: str) -> Package:
    def fact(key: str) -> Value:
        return facts.get(("packages", name, key))

    def free(key: str) -> str | None:
        value = fact(key)
        return value if isinstance(value, str) else None

    tags = fact("tags")
    return Package(
        name=name,
        version=_text(fact("version"), _VERSION),
        build=free("build"),
        source=free("source"),
        url=_text(fact("url"), _URL) or _text(fact("url"), _FOLDER),
        commit=_text(fact("commit"), _COMMIT),
        subdirectory=_text(fact("subdirectory"), _FOLDER),
        editable=_folder(fact("editable"), fact("note")),
        note=free("note"),
        sha256=_sha256(fact("source")),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, tuple) else (),
        conda=free("conda"),
        is_edited=fact("changes") is not None,
        changes_sha256=_sha256(fact("changes")),
    )


def _folder(value: Value, note: Value) -> str | None:
    if note == OWN:
        return _text(value, _FOLDER)
    return value if isinstance(value, str) else None


def _sha256(value: Value) -> str | None:
    match = _SHA256.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None


def _text(value: Value, pattern: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
