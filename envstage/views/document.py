"""`views/<view>.json`: a view as bytes, and back.

Nothing but the facts, their level and how they were selected: neither the environment's name
nor the view's own is in the file, so that renaming them reruns nothing.
"""

import msgspec

from envstage.snapshot.canonical import canonical, fingerprint, flat, nested
from envstage.snapshot.document import damaged, document_of
from envstage.snapshot.model import LEVELS, SCHEMA, Facts, Level

WIDE = "wide"
OBSERVED = "observed"


class ViewDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage depends on."""

    level: Level
    selection: str
    facts: Facts


def encode(view: ViewDocument) -> bytes:
    """The file's bytes: a function of the facts alone."""
    return canonical(_body(view))


def view_fingerprint(view: ViewDocument) -> str:
    """The digest of a view: `v-` and sha256."""
    return fingerprint("v", _body(view))


def decode(data: bytes, where: str) -> ViewDocument:
    """Read a view; `EnvstageError` where it is damaged or of a newer schema."""
    document = document_of(data, where)
    try:
        selection = document["selection"]
        if selection not in (WIDE, OBSERVED):
            raise ValueError(f"selection {selection!r}")
        return ViewDocument(
            level=LEVELS[document["level"]], selection=selection, facts=flat(document["facts"])
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(where, f"is no view ({error})") from None


def _body(view: ViewDocument) -> dict[str, object]:
    return {
        "facts": nested(view.facts),
        "level": view.level.word,
        "schema": SCHEMA,
        "selection": view.selection,
    }
