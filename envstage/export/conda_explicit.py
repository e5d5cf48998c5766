"""conda's explicit list: every archive by its URL and md5, no solving (`conda create --file`)."""

from collections.abc import Iterator
from typing import Final

from envstage.errors import EnvstageError
from envstage.export.artifacts import Artifacts
from envstage.export.conda_packages import CondaPin, conda_pins
from envstage.export.packages import packages_of
from envstage.export.pins import is_from_conda
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot

ID: Final = "conda-explicit"
NEEDS_ARTIFACTS: Final = False

_SERVER: Final = "https://conda.anaconda.org"
_SERVERS: Final = {
    "defaults": "https://repo.anaconda.com/pkgs/main",
    "pkgs/main": "https://repo.anaconda.com/pkgs/main",
    "pkgs/r": "https://repo.anaconda.com/pkgs/r",
}


def render(snapshot: Snapshot, artifacts: Artifacts | None = None) -> str:
    """The list.

    Raises:
        EnvstageError: conda did not make this environment.
    """
    del artifacts
    pins = conda_pins(snapshot)
    if not pins:
        raise EnvstageError(
            "conda did not make this environment: it has no explicit list",
            where=f"environment {snapshot.environment}",
            fix="`envstage export conda` writes an environment.yml with pip's packages",
        )
    lines = [
        f"# {snapshot_fingerprint(snapshot)}",
        *_left_out(snapshot, pins),
        "@EXPLICIT",
        *(line for pin in pins if (line := _url(pin)) is not None),
    ]
    return "\n".join(lines) + "\n"


def _left_out(snapshot: Snapshot, pins: tuple[CondaPin, ...]) -> Iterator[str]:
    for pin in pins:
        if _url(pin) is None:
            yield f"# {pin.name}={pin.version}: its archive or channel is not known elsewhere"
    others = [each.name for each in packages_of(snapshot) if not is_from_conda(each)]
    if others:
        yield f"# not conda's, see `envstage export requirements`: {', '.join(others)}"


def _url(pin: CondaPin) -> str | None:
    if not pin.archive or not pin.channel or pin.channel == "local":
        return None
    channel = _SERVERS.get(pin.channel, pin.channel)
    base = channel if "://" in channel else f"{_SERVER}/{channel}"
    return f"{base}/{pin.archive}" + (f"#{pin.md5}" if pin.md5 else "")
