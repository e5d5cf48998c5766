"""What the guard does where the machine is not what the view says, or did not stay so."""

import enum
from typing import Final

import msgspec

from envstage.config import Guard


class OnMismatch(enum.Enum):
    """This machine is not what the view says: the command is not started, or is nevertheless."""

    REFUSE = "refuse"
    WARN = "warn"
    RECORD = "record"


class OnDrift(enum.Enum):
    """A fact that the run used changed while it ran: the run fails, or counts nevertheless."""

    FAIL = "fail"
    WARN = "warn"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the flags and the configuration ask for."""

    on_mismatch: OnMismatch = OnMismatch.REFUSE
    on_drift: OnDrift = OnDrift.FAIL
    is_observed: bool = True


REFUSES: Final = Policy()


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """What the guard found and let pass, in words; empty where there was nothing."""

    mismatch: str = ""
    drift: str = ""

    def union(self, other: "Verdicts") -> "Verdicts":
        """What either found: of a command of several parts."""
        return Verdicts(
            mismatch=_joined(self.mismatch, other.mismatch), drift=_joined(self.drift, other.drift)
        )


def policy_of(
    guard: Guard, on_mismatch: str | None, on_drift: str | None, is_observed: bool
) -> Policy:
    """The policy of one run: a flag (None where there is none) wins over the configuration."""
    return Policy(
        on_mismatch=OnMismatch(on_mismatch or guard.on_mismatch),
        on_drift=OnDrift(on_drift or guard.on_drift),
        is_observed=is_observed,
    )


def _joined(first: str, second: str) -> str:
    return "; ".join(dict.fromkeys(text for text in (first, second) if text))
