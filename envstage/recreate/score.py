"""How much came back, kind by kind."""

from collections.abc import Callable
from typing import Final

import msgspec

from envstage.facets import catalogue
from envstage.snapshot.model import Address, Facts


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How many facts of one kind are as they were."""

    kind: str
    same: int
    total: int

    @property
    def text(self) -> str:
        """`11 of 12`."""
        return f"{self.same} of {self.total}"


_ORIGINS: Final = ("source", "commit", "subdirectory")
_KINDS: Final[tuple[tuple[str, Callable[[Address], bool]], ...]] = (
    ("packages", lambda each: each[0] == "packages" and each[2:] == ("version",)),
    ("origins", lambda each: each[0] == "packages" and each[2:3] != () and each[2] in _ORIGINS),
    ("builds", lambda each: each[0] == "packages" and each[2:] == ("build",)),
    ("interpreter", lambda each: each[0] == "python" and catalogue.counts(each)),
    (
        "system",
        lambda each: each[0] not in ("packages", "python") and catalogue.counts(each),
    ),
)


def scores(wanted: Facts, found: Facts) -> tuple[Score, ...]:
    """A score for each kind that the snapshot has facts of."""
    result = []
    for kind, is_of in _KINDS:
        addresses = [address for address in wanted if is_of(address)]
        same = sum(address in found and found[address] == wanted[address] for address in addresses)
        if addresses:
            result.append(Score(kind=kind, same=same, total=len(addresses)))
    return tuple(result)
