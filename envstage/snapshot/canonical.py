"""Canonical JSON and fingerprints: the same facts give the same bytes, always and everywhere."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from envstage.snapshot.model import Address, Facts, NotApplicable, Unknown, Value

_UNKNOWN = "$unknown"
_NOT_APPLICABLE = "$not_applicable"


def canonical(document: Any) -> bytes:
    """JSON with sorted keys, two spaces of indent, ASCII only and a final newline."""
    try:
        data = msgspec.json.encode(document, order="sorted")
    except (TypeError, UnicodeEncodeError):  # a lone surrogate: no UTF-8, but ASCII escapes
        return _canonical_slow(document)
    if not data.isascii() or b"\x7f" in data:
        return _canonical_slow(document)
    return msgspec.json.format(data, indent=2) + b"\n"


def _canonical_slow(document: Any) -> bytes:
    """The same by the standard library, ten times slower: it says what the bytes are."""
    return (json.dumps(document, sort_keys=True, indent=2) + "\n").encode("ascii")


def fingerprint(letter: str, document: Any) -> str:
    """The digest of a document: a letter (never `2e124658`, which YAML reads as a number), sha256.

    Args:
        letter: `e` for a snapshot, `v` for a view.
    """
    return f"{letter}-{hashlib.sha256(canonical(document)).hexdigest()}"


def nested(facts: Facts) -> dict[str, Any]:
    """Facts as the document has them: one object inside another, by the parts of the address."""
    tree: dict[str, Any] = {}
    for address, value in facts.items():
        branch = tree
        for part in address[:-1]:
            branch = branch.setdefault(part, {})
        branch[address[-1]] = encoded(value)
    return tree


def flat(tree: Mapping[str, Any]) -> dict[Address, Value]:
    """The facts of a document, by address: the reverse of `nested`.

    Raises:
        ValueError: something that is no fact, with its address.
    """
    facts: dict[Address, Value] = {}
    waiting: list[tuple[Address, Any]] = [((), tree)]
    while waiting:
        address, item = waiting.pop()
        if isinstance(item, dict) and not _is_outcome(item):
            waiting.extend(((*address, key), inner) for key, inner in item.items())
        else:
            facts[address] = decoded(item, address)
    return facts


def encoded(value: Value) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Unknown):
        return {_UNKNOWN: value.why}
    if isinstance(value, NotApplicable):
        return {_NOT_APPLICABLE: value.why}
    return list(value) if isinstance(value, tuple) else value


def decoded(item: Any, address: Address) -> Value:
    """The value of a JSON item."""
    if item is None or isinstance(item, str | bool | int):
        return item
    if isinstance(item, dict):
        if _UNKNOWN in item:
            return Unknown(str(item[_UNKNOWN]))
        return NotApplicable(str(item[_NOT_APPLICABLE]))
    if isinstance(item, list) and all(isinstance(each, str | bool | int) for each in item):
        return tuple(item)
    raise ValueError(f"{'.'.join(address)} is no fact")


def parsed(data: bytes) -> Any:
    """A JSON document; `ValueError` where it is not one."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _is_outcome(item: Mapping[str, Any]) -> bool:
    return len(item) == 1 and (_UNKNOWN in item or _NOT_APPLICABLE in item)
