"""Is this file what that run made? And is the receipt itself what was written?"""

import os
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from envstage.receipts.digests import Ignored, artifact
from envstage.receipts.document import Sealed
from envstage.receipts.model import Artifact, Receipt
from envstage.views import document as view_document
from envstage.views.document import ViewDocument, view_fingerprint

_SHOWN: Final = 12
# The fate of a view that several stages share: `track --update` narrows it later.
_COLLECTED: Final = "collected"
Result = Literal["holds", "differs", "unknown"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was checked.

    Attributes:
        subject: the receipt, its signature, a file, a view.
        result: `unknown` where the receipt does not tell.
        words: what was found, as a sentence without its full stop.
    """

    subject: str
    result: Result
    words: str


class VerificationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `envstage check --receipt R --json` prints; `result` follows the exit code."""

    document: Literal["verification"] = "verification"
    schema: Literal[1] = 1
    run: str
    result: Result
    findings: tuple[Finding, ...]


def result_of(findings: Sequence[Finding]) -> Result:
    """What all findings come to: one that differs is enough."""
    results = {each.result for each in findings}
    return "differs" if "differs" in results else "unknown" if "unknown" in results else "holds"


def check_itself(sealed: Sealed) -> Iterator[Finding]:
    """The view in a receipt against its fingerprint. (Its digest was checked as it was read.)"""
    receipt = sealed.receipt
    yield Finding(
        subject="receipt",
        result="holds",
        words=f"is as it was written: run {receipt.run.id[:_SHOWN]}, {outcome_words(receipt)}",
    )
    view = view_document.from_json(receipt.view.document, "the receipt's view")
    if view_fingerprint(view) != receipt.view.fingerprint:
        yield Finding(
            subject="receipt",
            result="differs",
            words="its view is not the one of the fingerprint in it",
        )


def check_signature(sealed: Sealed, key: str) -> Finding:
    """Whether a receipt was signed with the private half of a public key; errors as for
    `receipts.sign.is_signed_by`."""
    from envstage.receipts.sign import is_signed_by

    if not sealed.signatures:
        return Finding(subject="signature", result="differs", words="the receipt is not signed")
    if is_signed_by(sealed.payload, sealed.signatures, key):
        return Finding(subject="signature", result="holds", words=f"was made with the key {key}")
    return Finding(
        subject="signature", result="differs", words=f"was not made with the key {key}, or for this"
    )


def check_file(receipt: Receipt, path: str, label: str, is_ignored: Ignored) -> Finding:
    """Whether a file or folder is what the run made, by its bytes, whatever its name is now."""
    folder, name = os.path.split(os.path.abspath(path))
    found = artifact(folder, name, is_ignored=is_ignored)
    if found.kind == "missing":
        return Finding(subject=label, result="unknown", words="is not there")
    digest = found.sha256 or found.dir_hash
    if digest is None:
        return Finding(subject=label, result="unknown", words=found.why)
    known = dict(_digests(receipt.outs))
    names = [name for name, each in known.items() if each == digest]
    if names:
        return Finding(
            subject=label,
            result="holds",
            words=f"was made by this run, as {names[0]} ({short(digest)})",
        )
    return _not_made(receipt, label, digest, known)


def _not_made(receipt: Receipt, label: str, digest: str, known: dict[str, str]) -> Finding:
    for name, each in known.items():
        if os.path.basename(name) == os.path.basename(label.rstrip("/")):
            words = f"is not what this run made: {short(digest)}, and {name} was {short(each)}"
            return Finding(subject=label, result="differs", words=words)
    if not receipt.outs:
        words = "may be of this run: the receipt names nothing that it made (--outs names it)"
        return Finding(subject=label, result="unknown", words=words)
    unread = [each.path for each in receipt.outs if each.kind == "unread"]
    if unread:
        return Finding(
            subject=label,
            result="unknown",
            words=f"may be of this run: the receipt has no digest of {unread[0]}",
        )
    made = ", ".join(list(known)[:5]) or "nothing that is there"
    return Finding(
        subject=label,
        result="differs",
        words=f"was not made by this run ({short(digest)}; it made {made})",
    )


def check_recorded(root: str, each: Artifact, is_ignored: Ignored) -> Finding:
    """Whether an out is still, at its place, what the run made."""
    if each.sha256 is None and each.dir_hash is None:
        return Finding(subject=each.path, result="unknown", words=each.why or "has no digest")
    now = artifact(root, each.path, is_ignored=is_ignored)
    if now.kind == "missing":
        return Finding(subject=each.path, result="unknown", words="is not there")
    is_same = (now.sha256, now.dir_hash) == (each.sha256, each.dir_hash)
    digest = short(now.sha256 or now.dir_hash or "")
    if is_same:
        return Finding(subject=each.path, result="holds", words=f"is what the run made ({digest})")
    was = short(each.sha256 or each.dir_hash or "")
    return Finding(
        subject=each.path,
        result="differs",
        words=f"is not what the run made: {digest}, and it was {was}",
    )


def check_view(receipt: Receipt, data: bytes | None, where: str) -> Finding:
    """Whether a view's file is the one that the run stands for; None: it is not there."""
    if data is None:
        return Finding(subject=where, result="unknown", words="is not there")
    view = view_document.decode(data, where)
    fingerprint = view_fingerprint(view)
    if fingerprint == receipt.view.fingerprint:
        words = f"is the view of this run ({fingerprint[:_SHOWN]})"
        return Finding(subject=where, result="holds", words=words)
    if receipt.view.fate == _COLLECTED and _is_within(view, receipt):
        words = "was narrowed since, and agrees with this run in all that this run's view had"
        return Finding(subject=where, result="unknown", words=words)
    return Finding(
        subject=where,
        result="differs",
        words=f"is {fingerprint[:_SHOWN]}, and the run's was {receipt.view.fingerprint[:_SHOWN]}",
    )


def _is_within(view: ViewDocument, receipt: Receipt) -> bool:
    """Whether a view has no other packages than the run's, and no other value of any fact."""
    run = view_document.from_json(receipt.view.document, "the receipt's view").facts
    return all(
        run[address] == value if address in run else address[0] != "packages"
        for address, value in view.facts.items()
    )


def outcome_words(receipt: Receipt) -> str:
    """How a run ended, in words."""
    run = receipt.run
    words = {
        "ended": "which ended well",
        "failed": f"which failed (exit code {run.exit_code})",
        "killed": f"which {run.signal} killed",
        "drifted": "during which the environment changed",
    }
    return words[run.outcome]


def short(digest: str) -> str:
    """A digest as people compare it."""
    return f"sha256 {digest[:_SHOWN]}…"


def _digests(outs: Sequence[Artifact]) -> Iterator[tuple[str, str]]:
    for each in outs:
        digest = each.sha256 or each.dir_hash
        if digest:
            yield each.path, digest
        yield from ((f"{each.path}/{entry.path}", entry.sha256) for entry in each.entries)
