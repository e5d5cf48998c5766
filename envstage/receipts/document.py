"""A receipt as bytes, and back: plain, as an in-toto statement, or in a signed envelope."""

import base64
import binascii
import hashlib
from typing import Any, Final

import msgspec

from envstage.errors import DIFFERS, EnvstageError, NewerSchemaError
from envstage.receipts.model import SCHEMA, Artifact, Receipt
from envstage.snapshot.canonical import canonical, parsed

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://github.com/envstage/envstage/blob/main/docs/receipts.md#v1"
PAYLOAD: Final = "application/vnd.in-toto+json"
_MARKS: Final = (b'"receipt"', b'"predicateType"', b'"payloadType"')


class TamperedError(EnvstageError):
    """A receipt that is not as it was written."""

    exit_code = DIFFERS


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature of an envelope. `keyid`: sha256 of the public key, where it was known."""

    sig: str
    keyid: str = ""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt as it was found.

    Attributes:
        subjects: names and digests that the statement vouches for; empty for a plain receipt.
        payload: the bytes that were signed, if any were.
    """

    receipt: Receipt
    form: str = "receipt"
    payload: bytes = b""
    signatures: tuple[Signature, ...] = ()


def encode(receipt: Receipt) -> bytes:
    """The receipt's bytes, with the digest over itself."""
    return canonical(_with_digest(receipt))


def encode_statement(receipt: Receipt) -> bytes:
    """The receipt as an in-toto Statement v1 about the outs.

    https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
    """
    body = _with_digest(receipt)
    return canonical(
        {
            "_type": STATEMENT,
            "subject": list(_subjects(receipt.outs)),
            "predicateType": PREDICATE,
            "predicate": body,
        }
    )


def encode_envelope(payload: bytes, signatures: tuple[Signature, ...]) -> bytes:
    """A signed statement: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md."""
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD,
            "signatures": [{"keyid": each.keyid, "sig": each.sig} for each in signatures],
        }
    )


def to_be_signed(payload: bytes) -> bytes:
    """What a signature of an envelope is over: the payload and its type, with their lengths."""
    kind = PAYLOAD.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def is_receipt(data: bytes) -> bool:
    """Whether a document says of itself that it is a receipt, in any of the three forms."""
    if data.lstrip()[:1] != b"{" or not any(mark in data for mark in _MARKS):
        return False
    try:
        return _form(parsed(data)) != ""
    except ValueError:
        return False


def decode(data: bytes, where: str) -> Sealed:
    """Read a receipt, and check that it is as it was written.

    Raises:
        TamperedError: it is not what its digest says.
        NewerSchemaError: a newer release wrote it.
        EnvstageError: it is no receipt, or damaged.
    """
    try:
        document = parsed(data)
    except ValueError:
        raise _damaged(where, "is not JSON") from None
    form = _form(document)
    payload = b""
    signatures: tuple[Signature, ...] = ()
    if form == "envelope":
        payload, signatures = _opened(document, where)
        document = _parsed_payload(payload, where)
    if form == "":
        raise _damaged(where, "is no receipt")
    statement = document if form != "receipt" else None
    receipt = _receipt(statement.get("predicate") if statement else document, where)
    if statement is not None and statement.get("subject") != list(_subjects(receipt.outs)):
        raise TamperedError(
            "its subjects are not the outs of its run: the statement was edited",
            where=where,
            fix="Take it from where it was written",
        )
    return Sealed(receipt=receipt, form=form, payload=payload, signatures=signatures)


def _receipt(document: Any, where: str) -> Receipt:
    if not isinstance(document, dict):
        raise _damaged(where, "is no receipt")
    schema = document.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise NewerSchemaError(
            f"is a receipt of schema {schema}, this envstage knows {SCHEMA}",
            where=where,
            fix="Upgrade envstage: pip install -U envstage",
        )
    claimed = document.get("digest")
    if claimed != _digest({key: document[key] for key in document if key != "digest"}):
        raise TamperedError(
            "is not what its digest says: the receipt was edited or damaged",
            where=where,
            fix="Take it from where it was written (DVC's cache, Git)",
        )
    try:
        return msgspec.convert(document, Receipt)
    except msgspec.ValidationError as error:
        raise _damaged(where, f"is no receipt that can be read ({error})") from None


def _form(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    if document.get("document") == "receipt":
        return "receipt"
    if document.get("_type") == STATEMENT and document.get("predicateType") == PREDICATE:
        return "statement"
    if document.get("payloadType") == PAYLOAD and PREDICATE.encode() in _payload(document):
        return "envelope"
    return ""


def _opened(document: dict[str, Any], where: str) -> tuple[bytes, tuple[Signature, ...]]:
    try:
        found = msgspec.convert(document.get("signatures"), tuple[Signature, ...])
    except msgspec.ValidationError:
        raise _damaged(where, "has no signatures that can be read") from None
    return _payload(document), found


def _payload(document: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(document.get("payload", "")), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _parsed_payload(payload: bytes, where: str) -> dict[str, Any]:
    try:
        document = parsed(payload)
    except ValueError:
        document = None
    if _form(document) != "statement":
        raise _damaged(where, "holds no statement about a run")
    found: dict[str, Any] = document
    return found


def _with_digest(receipt: Receipt) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(receipt)
    body.pop("digest")
    return body | {"digest": _digest(body)}


def _digest(body: dict[str, Any]) -> str:
    return f"sha256:{hashlib.sha256(canonical(body)).hexdigest()}"


def _subjects(outs: tuple[Artifact, ...]) -> "list[dict[str, Any]]":
    """The outs as in-toto names them, and the files of folders each by itself."""
    found: list[dict[str, Any]] = []
    for each in outs:
        if each.sha256:
            found.append({"digest": {"sha256": each.sha256}, "name": each.path})
        elif each.dir_hash:
            found.append({"digest": {"dirHash": each.dir_hash}, "name": each.path})
        found += [
            {"digest": {"sha256": entry.sha256}, "name": f"{each.path}/{entry.path}"}
            for entry in each.entries
        ]
    return found


def _damaged(where: str, what: str) -> EnvstageError:
    return EnvstageError(what, where=where, fix="Give a file that `envstage run --receipt` wrote")
