"""What a capture did to one environment."""

import msgspec

from envstage.compare.differences import Difference


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one environment."""

    environment: str
    fingerprint: str
    level: str
    packages: int
    is_held: bool = False
    changes: tuple[Difference, ...] = ()
    is_new: bool = False
    changed_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
