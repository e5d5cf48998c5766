"""The last scan: what looks like a secret after all is neither written nor printed.

Facts are made of safe parts where they are collected; this looks once more at all of them, at
whatever a document of someone else's holds, and at what programs said. It tells which fact it
was, never its value. Facts that are digests by nature are exempt by their address, as long as
they have the shape of one: no capture is held up by a false alarm.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from envstage.snapshot.model import Address, Facts, NotApplicable, Unknown, Value
from envstage.snapshot.secrets import REMOVED, holds_secret, is_secret_value

WITHHELD: Final = Unknown("withheld, since it looks like a secret")
DIGESTS: Final = frozenset(
    "packages.build packages.changes packages.commit packages.metadata packages.source "
    "conda.md5 tools.sha256 container.digest".split()
)
"""Facts that are digests or commits by nature: group (or part before the last) and last part."""

_SHAPE: Final = re.compile(r"(?:[a-z0-9-]{1,20}:)?(?:[0-9a-f]{7,128}|[A-Za-z0-9_-]{43})")
# No rule for secrets reaches over it: a value is not the assignment of the one before.
_BETWEEN: Final = "\n;\n"


def suspects(facts: Facts) -> tuple[Address, ...]:
    """The facts whose value looks like a secret."""
    texts = [(address, text) for address, value in facts.items() for text in _texts(value)]
    texts = [(address, text) for address, text in texts if not _is_digest(address, text)]
    # One pass over all of them, as hardly ever anything is found.
    if not is_secret_value(_BETWEEN.join(text for _, text in texts)):
        return ()
    return tuple(dict.fromkeys(address for address, text in texts if _is_secret(address, text)))


def without_suspects(facts: Facts) -> Facts:
    """The facts, those that look like a secret as unknown: a view that needs one is refused."""
    found = suspects(facts)
    return {**facts, **dict.fromkeys(found, WITHHELD)} if found else facts


def without_secret_texts(document: Any, is_secret: Callable[[str], bool] = is_secret_value) -> Any:
    """A JSON document with every text that could be a secret replaced, names in it too."""
    if not is_secret(_BETWEEN.join(_strings(document))):
        return document
    return _replaced(document, is_secret)


def _replaced(item: Any, is_secret: Callable[[str], bool]) -> Any:
    if isinstance(item, str):
        return REMOVED if is_secret(item) else item
    if isinstance(item, Mapping):
        return {
            _replaced(key, is_secret): _replaced(value, is_secret) for key, value in item.items()
        }
    if isinstance(item, list | tuple):
        return [_replaced(each, is_secret) for each in item]
    return item


def _is_secret(address: Address, text: str) -> bool:
    # An entry point may be called `token`: there it assigns nothing.
    return holds_secret(text) if address[0] == "entry_points" else is_secret_value(text)


def _strings(item: Any) -> Iterator[str]:
    if isinstance(item, str):
        yield item
    elif isinstance(item, Mapping):
        for key, value in item.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(item, list | tuple):
        for each in item:
            yield from _strings(each)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        yield from (each for each in value if isinstance(each, str))
    elif isinstance(value, Unknown | NotApplicable):
        yield value.why


def _is_digest(address: Address, text: str) -> bool:
    group = "container" if address[:2] == ("system", "container") else address[0]
    return f"{group}.{address[-1]}" in DIGESTS and _SHAPE.fullmatch(text) is not None
