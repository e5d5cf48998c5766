"""What this process was seeded with: generators do not tell it afterwards."""

from typing import Final

import msgspec


class Seeding(msgspec.Struct, frozen=True, kw_only=True):
    """One library's last seeding by `set_random_seed`.

    Attributes:
        seed: None where a saved state was restored.
        was_late: numbers had been drawn before the library was seeded for the first time.
        was_cuda_late: CUDA had been started before deterministic mode was chosen.
    """

    seed: int | None
    was_late: bool = False
    was_cuda_late: bool = False


# The one mutable thing: as global as the generators that it describes.
_SEEDINGS: Final[dict[str, Seeding]] = {}


def seeding_of(library: str) -> Seeding | None:
    """How a library was seeded; None where it was not."""
    return _SEEDINGS.get(library)


def remember(library: str, seeding: Seeding) -> None:
    """Keep what was done."""
    _SEEDINGS[library] = seeding


def forget() -> None:
    """As if nothing had been seeded, for tests."""
    _SEEDINGS.clear()
