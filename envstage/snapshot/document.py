"""`environment.json`: a snapshot as bytes, and back."""

from typing import Any

from envstage.errors import EnvstageError, NewerSchemaError
from envstage.snapshot.canonical import canonical, fingerprint, flat, nested, parsed
from envstage.snapshot.model import LEVELS, SCHEMA, Snapshot


def encode(snapshot: Snapshot) -> bytes:
    """The document's bytes: a function of the facts alone."""
    body = _body(snapshot)
    return canonical(body | {"fingerprint": fingerprint("e", body)})


def snapshot_fingerprint(snapshot: Snapshot) -> str:
    """The fingerprint that the document carries."""
    return fingerprint("e", _body(snapshot))


def decode(data: bytes, where: str) -> Snapshot:
    """Read a document.

    Args:
        where: the file or revision, for the error.

    Raises:
        NewerSchemaError: a newer release wrote it.
        EnvstageError: no JSON, incomplete, or not what its fingerprint says.
    """
    document = document_of(data, where)
    claimed = document.pop("fingerprint", None)
    try:
        snapshot = Snapshot(
            environment=str(document["environment"]),
            level=LEVELS[document["level"]],
            facts=flat(document["facts"]),
            anomalies=tuple(str(each) for each in document.get("anomalies", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(where, f"is no snapshot ({error})") from None
    if claimed != fingerprint("e", document):
        raise damaged(where, "is not what its fingerprint says: it was edited or damaged")
    return snapshot


def document_of(data: bytes, where: str) -> dict[str, Any]:
    """A document of ours as JSON, its schema checked; errors as for `decode`."""
    try:
        document = parsed(data)
    except ValueError:
        raise damaged(where, "is not JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise damaged(where, "is no document of envstage's")
    if document["schema"] > SCHEMA:
        raise NewerSchemaError(
            f"is of schema {document['schema']}, this envstage knows {SCHEMA}",
            where=where,
            fix="Upgrade envstage: pip install -U envstage",
        )
    return document


def damaged(where: str, what: str) -> EnvstageError:
    """The error for a document that cannot be used."""
    return EnvstageError(
        what, where=where, fix="Restore it from Git, or run `envstage capture` to write it anew"
    )


def _body(snapshot: Snapshot) -> dict[str, Any]:
    body = {
        "environment": snapshot.environment,
        "facts": nested(snapshot.facts),
        "level": snapshot.level.word,
        "schema": SCHEMA,
    }
    return body | ({"anomalies": sorted(snapshot.anomalies)} if snapshot.anomalies else {})
