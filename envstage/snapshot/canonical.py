"""Canonical JSON and fingerprints: the same facts give the same bytes, always and everywhere."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from envstage.snapshot.model import Address, Facts, NotApplicable, Unknown, Value

Kind = TypeVar("Kind")
# The deepest address is `hardware.cuda.cudnn_compiled.torch`.
_DEEPEST = 16
_UNKNOWN = "$unknown"
_NOT_APPLICABLE = "$not_applicable"


def canonical(document: Any) -> bytes:
    """JSON with sorted keys, two spaces of indent, ASCII only and a final newline.

    The bytes are those of the standard library's `json.dumps(sort_keys=True, indent=2)`, which
    takes ten times as long.
    """
    try:
        data = msgspec.json.encode(document, order="sorted")
        if not data.isascii() or b"\x7f" in data:
            data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")
        return msgspec.json.format(data, indent=2) + b"\n"
    except (TypeError, UnicodeEncodeError, msgspec.DecodeError):
        # A lone surrogate: no UTF-8, but ASCII escapes.
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
        if not address and not isinstance(item, dict):
            raise ValueError("the facts are no object")
        if len(address) > _DEEPEST:
            raise ValueError("nested too deeply")
        if len(address) == 1 and not address[0].isidentifier():
            # A group is a file's name, too.
            raise ValueError("no group of facts can have that name")
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
    if item is None or _is_scalar(item):
        return item  # type: ignore[no-any-return]
    if isinstance(item, dict):
        if _UNKNOWN in item:
            return Unknown(str(item[_UNKNOWN]))
        return NotApplicable(str(item[_NOT_APPLICABLE]))
    if isinstance(item, list) and all(map(_is_scalar, item)):
        return tuple(item)
    raise ValueError(f"{'.'.join(address)} is no fact")


def parsed(data: bytes) -> Any:
    """A JSON document; `ValueError` where it is not one."""
    try:
        return parsed_as(data, Any)
    except ValueError:
        if b"\\ud" not in data:
            raise
    try:  # a name that is no UTF-8, as `canonical` writes it
        return json.loads(data)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def parsed_as(data: bytes, kind: "type[Kind] | Any") -> "Kind | Any":
    """A JSON document of a certain type; `ValueError` where it is none, however hostile."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from None


def repeats_a_key(data: bytes) -> bool:
    """Whether an object of a JSON document has a key twice: two readers may read two things."""

    def refuse_twice(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) != len(pairs):
            raise _Repeated

    try:
        json.loads(data, object_pairs_hook=refuse_twice)
    except _Repeated:
        return True
    except (ValueError, RecursionError):
        return False
    return False


class _Repeated(Exception):
    """A key was written twice."""


def _is_scalar(item: Any) -> bool:
    # What JSON writers agree on: an integer of more digits is no fact.
    return isinstance(item, str | bool) or (isinstance(item, int) and abs(item) < 2**63)


def _is_outcome(item: Mapping[str, Any]) -> bool:
    return len(item) == 1 and (_UNKNOWN in item or _NOT_APPLICABLE in item)
