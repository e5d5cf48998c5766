"""A receipt as a REF: the snapshot and the view that the evidence of a run holds."""

from typing import Any

import msgspec

from envstage.errors import EnvstageError
from envstage.receipts.document import Sealed, TamperedError, decode
from envstage.snapshot import document as snapshot_document
from envstage.snapshot.canonical import canonical
from envstage.snapshot.model import Snapshot
from envstage.views import document as view_document
from envstage.views.document import ViewDocument


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The documents that a receipt holds."""

    sealed: Sealed
    view: ViewDocument
    snapshot: Snapshot | None = None


def decode_held(data: bytes, where: str) -> Held:
    """Read a receipt and the documents in it; errors as for `receipts.document.decode`."""
    sealed = decode(data, where)
    snapshot = sealed.receipt.snapshot
    try:
        return _held(sealed, snapshot, where)
    except EnvstageError as error:
        # Its digest was made anew, what is in it was not.
        raise TamperedError(error.what, where=error.where, fix=error.fix) from None


def _held(sealed: Sealed, snapshot: dict[str, Any] | None, where: str) -> Held:
    return Held(
        sealed=sealed,
        view=view_document.from_json(sealed.receipt.view.document, f"{where}: view"),
        snapshot=snapshot_document.decode(canonical(snapshot), f"{where}: snapshot")
        if snapshot
        else None,
    )
