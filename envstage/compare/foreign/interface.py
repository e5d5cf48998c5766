"""What a reader of somebody else's document is: a module with `FORMAT`, `recognises`, `read`.

A document of others speaks of few facts. What it is silent about is neither present nor absent
(`Coverage`): a comparison leaves it out and says so.
"""

import re
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from envstage.compare.sides import Coverage
from envstage.errors import EnvstageError
from envstage.snapshot.model import Address, Facts, Value
from envstage.snapshot.secrets import without_secrets

# What pip freeze leaves out, and envstage's own: their absence from a list means nothing.
UNLISTED: Final = frozenset({"pip", "setuptools", "wheel", "uv", "distribute", "envstage"})
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """What a document of others says."""

    format: str
    facts: Facts
    coverage: Coverage


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read, with the files beside it that may belong to it, and how to call it."""

    name: str
    data: bytes
    beside: Mapping[str, bytes]
    where: str

    @property
    def text(self) -> str:
        """The content as text; what is no UTF-8 becomes replacement characters."""
        return self.data.decode("utf-8-sig", "replace")

    def other(self, name: str) -> "Document | None":
        """A file beside it."""
        data = self.data if name == self.name else self.beside.get(name)
        if data is None:
            return None
        return Document(name=name, data=data, beside=self.beside, where=f"{self.where} ({name})")


class Reader(Protocol):
    """The shape of a reader's module."""

    FORMAT: str

    def recognises(self, document: Document) -> bool:
        """Whether a document is of this format; cheap, and never an error."""

    def read(self, document: Document) -> Foreign:
        """Read it; `EnvstageError` where it cannot be."""


def canonical_name(text: str) -> str | None:
    """The PEP 503 name of a package; None where the text is no name at all."""
    return re.sub(r"[-_.]+", "-", text).lower() if _NAME.fullmatch(text) else None


def package_facts(versions: Mapping[str, str]) -> dict[Address, Value]:
    """Name → version as facts; what is no name is left out."""
    return {
        ("packages", name, "version"): version
        for text, version in versions.items()
        if (name := canonical_name(text)) is not None
    }


def origin_facts(name: str, url: str) -> dict[Address, Value]:
    """Where a package came from, without credentials."""
    location, _, fragment = without_secrets(url).partition("#")
    head, at, commit = location.rpartition("@")
    facts: dict[Address, Value] = {}
    if at and "://" in head and re.fullmatch(r"[0-9a-fA-F]{7,64}", commit):
        location = head
        facts["packages", name, "commit"] = commit
        facts["packages", name, "source"] = f"commit:{commit}"
    elif digest := re.search(r"sha256=([0-9a-fA-F]{64})", fragment):
        facts["packages", name, "source"] = f"sha256:{digest[1].lower()}"
    if not location.startswith("file:"):
        facts["packages", name, "url"] = location
    return facts


def architecture_fact(machine: str) -> dict[Address, Value]:
    """The instruction set, named as in our own snapshots: as Linux' `uname -m` does."""
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine)
    return {("system", "architecture"): name}


def unreadable(where: str, what: str) -> EnvstageError:
    """The error for a document that is of a format and cannot be read."""
    return EnvstageError(what, where=where, fix="Give the file as the program wrote it")
