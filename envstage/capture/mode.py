"""What a capture does with the machine that it runs on: `ENVSTAGE_MODE`."""

import enum
from typing import Final

from envstage.errors import EnvstageError
from envstage.world import World

MODE_VARIABLE: Final = "ENVSTAGE_MODE"


class Mode(enum.Enum):
    """What a capture does with the machine that it runs on."""

    CAPTURE = "capture"
    HOLD = "hold"
    VERIFY = "verify"


def mode_of(world: World) -> Mode:
    """The mode that `ENVSTAGE_MODE` asks for."""
    word = world.environ.get(MODE_VARIABLE, "") or Mode.CAPTURE.value
    try:
        return Mode(word)
    except ValueError:
        words = ", ".join(mode.value for mode in Mode)
        raise EnvstageError(
            f"`{word}` is no mode", where=MODE_VARIABLE, fix=f"Use one of {words}"
        ) from None
