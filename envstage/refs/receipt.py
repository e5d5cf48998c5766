"""A receipt as a REF: the snapshot and the view that the evidence of a run holds.

What a receipt is besides belongs to the package that writes it. Here only two of its keys are
known: `"snapshot"` and `"view"`, each a document as it stands in its own file.
"""

import json
from typing import Any

import msgspec

from envstage.snapshot.canonical import parsed
from envstage.snapshot.document import damaged, decode
from envstage.snapshot.model import Snapshot
from envstage.views import document as view_document
from envstage.views.document import ViewDocument

_MARK = b'"receipt"'


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The documents that a receipt holds: at least one of them."""

    snapshot: Snapshot | None = None
    view: ViewDocument | None = None


def is_receipt(data: bytes) -> bool:
    """Whether a document says of itself that it is a receipt."""
    if _MARK not in data or b'"document"' not in data:
        return False
    try:
        document = parsed(data)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("document") == "receipt"


def decode_held(document: dict[str, Any], where: str) -> Held:
    """The documents in a receipt; errors as for `decode`."""
    snapshot, view = document.get("snapshot"), document.get("view")
    return Held(
        snapshot=decode(_bytes(snapshot), f"{where}: snapshot") if snapshot else None,
        view=view_document.decode(_bytes(view), f"{where}: view") if view else None,
    )


def decode_receipt(data: bytes, where: str) -> Held:
    """Read a receipt.

    Raises:
        EnvstageError: it holds neither, or one that is damaged.
    """
    held = decode_held(parsed(data), where)
    if held.snapshot is None and held.view is None:
        raise damaged(where, "is a receipt without a snapshot and without a view")
    return held


def _bytes(document: Any) -> bytes:
    return json.dumps(document).encode()
