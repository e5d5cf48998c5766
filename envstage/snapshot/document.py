"""`environment.json`: a snapshot as bytes, and back."""

import re
from typing import Any, Final

from envstage.errors import EnvstageError, NewerSchemaError
from envstage.snapshot.canonical import canonical, fingerprint, flat, nested, parsed, repeats_a_key
from envstage.snapshot.model import LEVELS, SCHEMA, Snapshot

LIMIT_BYTES: Final = 64 * 1024 * 1024
"""The largest document that is read: a snapshot of 5,000 distributions has 4 MiB."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


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
            environment=_name(document["environment"]),
            level=LEVELS[document["level"]],
            facts=flat(document["facts"]),
            anomalies=tuple(str(each) for each in document.get("anomalies", ())),
            schema=document["schema"],
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
        if canonical(document) != data and repeats_a_key(data):
            raise damaged(where, "has a key twice")
    except (ValueError, OverflowError, RecursionError):
        raise damaged(where, "is not JSON") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if type(schema) is not int or not 0 < schema < 2**31:
        raise damaged(where, "is no document of envstage's")
    if schema > SCHEMA:
        raise NewerSchemaError(
            f"is of schema {schema}, this envstage knows {SCHEMA}",
            where=where,
            fix="Upgrade envstage: pip install -U envstage",
        )
    return dict(document)


def _name(item: object) -> str:
    """The name of an environment, which is a folder's too."""
    if not isinstance(item, str) or not _NAME.fullmatch(item) or item.endswith("."):
        raise ValueError("the environment's name is none")
    return item


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
        "schema": snapshot.schema,
    }
    return body | ({"anomalies": sorted(snapshot.anomalies)} if snapshot.anomalies else {})
