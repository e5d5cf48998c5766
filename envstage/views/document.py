"""`views/<view>.json`: a view as bytes, and back.

Nothing but the facts, their level and how they were selected: neither the environment's name
nor the view's own is in the file, so that renaming them reruns nothing.
"""

from typing import Any

import msgspec

from envstage.snapshot.canonical import canonical, fingerprint, flat, nested
from envstage.snapshot.document import damaged, document_of
from envstage.snapshot.model import LEVELS, SCHEMA, Facts, Level

WIDE = "wide"
OBSERVED = "observed"


class ViewDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage depends on. `schema` is that of the release that wrote it."""

    level: Level
    selection: str
    facts: Facts
    schema: int = SCHEMA


def encode(view: ViewDocument) -> bytes:
    """The file's bytes: a function of the facts alone."""
    return canonical(as_json(view))


def view_fingerprint(view: ViewDocument) -> str:
    """The digest of a view: `v-` and sha256."""
    return fingerprint("v", as_json(view))


def decode(data: bytes, where: str) -> ViewDocument:
    """Read a view; `EnvstageError` where it is damaged or of a newer schema."""
    return from_json(document_of(data, where), where)


def from_json(document: dict[str, Any], where: str) -> ViewDocument:
    """A view from its document; errors as for `decode`."""
    try:
        selection = document["selection"]
        if selection not in (WIDE, OBSERVED):
            raise ValueError(f"selection {selection!r}")
        return ViewDocument(
            level=LEVELS[document["level"]],
            selection=selection,
            facts=flat(document["facts"]),
            schema=document["schema"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(where, f"is no view ({error})") from None


def as_json(view: ViewDocument) -> dict[str, Any]:
    """A view as its document has it."""
    return {
        "facts": nested(view.facts),
        "level": view.level.word,
        "schema": view.schema,
        "selection": view.selection,
    }
