"""What a REF stands for, read from the bytes of a document, whoever wrote it."""

from collections.abc import Mapping

import msgspec

from envstage.compare import foreign
from envstage.compare.sides import Coverage, Side
from envstage.receipts.document import Sealed, is_receipt
from envstage.refs.receipt import decode_held
from envstage.snapshot.document import decode
from envstage.snapshot.model import Facts, Level, Snapshot
from envstage.snapshot.withheld import without_suspects
from envstage.views import document as view_document
from envstage.views.document import WIDE, ViewDocument


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What a REF stands for: facts up to a level, and how to call them.

    Attributes:
        commit: the commit that it was read from, if any.
        coverage: how far a document sees that is no snapshot of ours.
        receipt: what it was read from, if that was the evidence of a run.
        format: what wrote it: `snapshot`, `view`, `receipt`, `pip freeze`.
    """

    label: str
    level: Level
    facts: Facts
    snapshot: Snapshot | None = None
    view: ViewDocument | None = None
    receipt: Sealed | None = None
    commit: str | None = None
    coverage: Coverage | None = None
    format: str = "snapshot"

    @property
    def side(self) -> Side:
        """It as one side of a comparison."""
        return Side(label=self.label, level=self.level, facts=self.facts, coverage=self.coverage)


def named(data: bytes, where: str, beside: Mapping[str, bytes] | None = None) -> Named:
    """Read a document: a snapshot, a view, a receipt, or one that others write.

    Args:
        where: how to call it.
        beside: the files of the same folder that belong to it, by name.

    Raises:
        EnvstageError: it is none of these, damaged, or of a newer schema.
    """
    if is_receipt(data):
        return _receipt(data, where)
    if is_ours(data):
        return _ours(data, where)
    name = where.replace("\\", "/").rpartition("/")[2].rpartition(":")[2]
    if name.endswith(".json") and not foreign.is_known(name, data, beside or {}):
        # A snapshot that was cut short is a damaged snapshot, not a list of somebody else's.
        return _ours(data, where)
    other = foreign.read(name, data, beside or {}, where)
    return Named(
        label=where,
        level=Level.HARDWARE,
        facts=without_suspects(other.facts),
        coverage=other.coverage,
        format=other.format,
    )


def named_view(view: ViewDocument, where: str) -> Named:
    """A view as a REF names it."""
    view = msgspec.structs.replace(view, facts=without_suspects(view.facts))
    # A wide view lists every package; an observed one is silent about what was not used.
    complete = frozenset({"packages", "conda"}) if view.selection == WIDE else frozenset[str]()
    return Named(
        label=where,
        level=view.level,
        facts=view.facts,
        view=view,
        coverage=Coverage(complete=complete),
        format="view",
    )


def is_ours(data: bytes) -> bool:
    """Whether it looks like a snapshot or view: told by the keys that only these have."""
    return data.lstrip()[:1] == b"{" and b'"schema"' in data and b'"facts"' in data


def _ours(data: bytes, where: str) -> Named:
    if b'"selection"' in data and b'"fingerprint"' not in data:
        return named_view(view_document.decode(data, where), where)
    return named_snapshot(decode(data, where), where)


def named_snapshot(snapshot: Snapshot, where: str) -> Named:
    """A snapshot as a REF names it: what looks like a secret in it goes nowhere else."""
    facts = without_suspects(snapshot.facts)
    if facts is not snapshot.facts:
        snapshot = msgspec.structs.replace(snapshot, facts=facts)
    return Named(label=where, level=snapshot.level, facts=snapshot.facts, snapshot=snapshot)


def _receipt(data: bytes, where: str) -> Named:
    held = decode_held(data, where)
    # The snapshot says more: a receipt holds the view that its run was finalised with as well.
    if held.snapshot is not None:
        made = named_snapshot(held.snapshot, where)
    else:
        made = named_view(held.view, where)
    return msgspec.structs.replace(made, view=held.view, receipt=held.sealed, format="receipt")
