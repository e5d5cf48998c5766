"""A receipt as bytes and back, in each of its forms; what was changed in it is found out."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envstage.cli.log_runs import RunsDocument
from envstage.compare.document import json_schema
from envstage.errors import EnvstageError, NewerSchemaError
from envstage.receipts.check import VerificationDocument
from envstage.receipts.document import (
    PREDICATE,
    STATEMENT,
    Signature,
    TamperedError,
    decode,
    encode,
    encode_envelope,
    encode_statement,
    is_receipt,
)
from envstage.receipts.model import Receipt
from envstage.receipts.text import receipt_rows
from envstage.snapshot.canonical import canonical
from tests.receipts.samples import receipt

SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "schemas"
DATA = Path(__file__).parent.parent / "data" / "receipts"
PUBLISHED: dict[str, type[msgspec.Struct]] = {
    "receipt": Receipt,
    "verification": VerificationDocument,
    "runs": RunsDocument,
}
TITLES = {
    "receipt": "envstage run --receipt",
    "verification": "envstage check --receipt --json",
    "runs": "envstage log --runs --json",
}


def paths_in(item: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of a document stands."""
    if isinstance(item, dict):
        return [found for key in item for found in paths_in(item[key], (*path, key))]
    if isinstance(item, list) and item:
        return [
            found for index, each in enumerate(item) for found in paths_in(each, (*path, index))
        ]
    return [path]


DOCUMENT = json.loads(encode(receipt()))
PATHS = paths_in(DOCUMENT)


@pytest.mark.parametrize("name", PUBLISHED)
def test_schemas_are_those_of_the_documents(name: str) -> None:
    schema = json_schema(PUBLISHED[name], TITLES[name])
    text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    path = SCHEMAS / f"{name}.json"
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text)
    assert path.read_text() == text


def test_it_comes_back_in_every_form() -> None:
    made = receipt()
    plain = encode(made)
    statement = encode_statement(made)
    signed = encode_envelope(statement, (Signature(sig="c2ln"),))
    for data, form in ((plain, "receipt"), (statement, "statement"), (signed, "envelope")):
        assert is_receipt(data)
        sealed = decode(data, "r.json")
        assert sealed.form == form
        assert msgspec.structs.replace(sealed.receipt, digest="") == made
    assert decode(signed, "r.json").payload == statement
    jsonschema.validate(json.loads(plain), json.loads((SCHEMAS / "receipt.json").read_text()))


def test_the_statement_is_about_the_outs() -> None:
    statement = json.loads(encode_statement(receipt()))
    assert (statement["_type"], statement["predicateType"]) == (STATEMENT, PREDICATE)
    assert statement["subject"] == [
        {"name": "model.pkl", "digest": {"sha256": "b" * 64}},
        {"name": "plots", "digest": {"dirHash": "c" * 64}},
        {"name": "plots/a.png", "digest": {"sha256": "d" * 64}},
    ]


@given(st.sampled_from(PATHS), st.sampled_from(["x", 1, None, True, {}]))
def test_whatever_is_changed_is_found_out(path: tuple[Any, ...], value: Any) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    place = document
    for step in path[:-1]:
        place = place[step]
    if place[path[-1]] == value and type(place[path[-1]]) is type(value):
        return
    place[path[-1]] = value
    if path in (("document",), ("schema",)):
        with pytest.raises(EnvstageError):
            decode(canonical(document), "r.json")
        return
    with pytest.raises(TamperedError, match="edited or damaged"):
        decode(canonical(document), "r.json")


def test_subjects_that_were_changed_are_found_out() -> None:
    statement = json.loads(encode_statement(receipt()))
    statement["subject"][0]["digest"]["sha256"] = "e" * 64
    with pytest.raises(TamperedError, match="subjects are not the outs"):
        decode(canonical(statement), "r.json")


def test_a_newer_receipt_says_so() -> None:
    with pytest.raises(NewerSchemaError, match="Upgrade envstage"):
        decode(canonical(DOCUMENT | {"schema": 2}), "r.json")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"document": "receipt"}',
        canonical({"_type": STATEMENT, "predicateType": PREDICATE}),
        canonical({"payloadType": "application/vnd.in-toto+json", "payload": "?"}),
        canonical({"payloadType": "application/vnd.in-toto+json", "payload": 3, "signatures": 4}),
        encode_envelope(PREDICATE.encode(), ()),
        encode_envelope(canonical({"predicateType": PREDICATE}), ()),
    ],
)
def test_what_is_none_is_one_clear_line(data: bytes) -> None:
    with pytest.raises(EnvstageError) as error:
        decode(data, "r.json")
    assert str(error.value).startswith("r.json: ")


def test_as_people_read_it() -> None:
    from envstage.compare.styled import plain

    rows = receipt_rows(decode(encode(receipt()), "r.json"), 80)
    text = plain(rows)
    if os.environ.get("UPDATE_GOLDENS"):
        (DATA / "receipt-80.txt").write_text(text)
    assert text == (DATA / "receipt-80.txt").read_text()


def test_a_receipt_of_the_first_schema_is_read_for_ever() -> None:
    path = DATA / "schema-1.json"
    assert decode(path.read_bytes(), path.name).receipt.run.stage == "train"
