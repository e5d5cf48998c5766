"""conda's part of an environment: its own list, by whichever of conda's programs is here.

Where the snapshot knows every archive, the list is explicit: URLs and digests, nothing is solved.
Else exact specs without dependencies, which is all the same environment, found by the channels.
"""

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from envstage.export import conda_explicit
from envstage.export.conda_packages import CondaPin, conda_pins
from envstage.recreate.failures import BuildError, failure
from envstage.recreate.process import Progress, run
from envstage.recreate.programs import find_conda
from envstage.snapshot.model import Snapshot
from envstage.world import World

LIST: Final = "conda-recreate.txt"
META: Final = "conda-meta"
# They would make conda look at another environment, or do what nobody reads.
_DROPPED: Final = ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


class CondaPart(msgspec.Struct, frozen=True, kw_only=True):
    """What conda is to install, and with which program.

    Attributes:
        text: the explicit list; empty where an archive of a package is not recorded.
    """

    program: str
    pins: tuple[CondaPin, ...]
    text: str = ""

    def command(self, folder: str, *, is_offline: bool = False) -> list[str]:
        """The words to start in a folder that conda takes for an environment."""
        words = [self.program, "install", "--yes", "--prefix", folder]
        words += ["--offline"] if is_offline else []
        if self.text:
            return [*words, "--file", os.path.join(folder, LIST)]
        channels = dict.fromkeys(each.channel for each in self.pins if each.channel)
        for channel in channels:
            words += ["--channel", str(channel)]
        return [*words, "--override-channels", "--no-deps", *(each.spec for each in self.pins)]


def conda_part(world: World, snapshot: Snapshot) -> CondaPart | None:
    """conda's part of a snapshot; None where conda made nothing of it.

    Raises:
        BuildError: none of conda's programs is here.
    """
    pins = tuple(each for each in conda_pins(snapshot) if not is_out_of_reach(each))
    if not pins:
        return None
    program = find_conda(world)
    if program is None:
        raise BuildError(
            "conda made this environment, and none of micromamba, mamba and conda is here",
            where=f"environment {snapshot.environment}",
            fix=(
                "Install one of them and run it again. By hand: "
                "`envstage export conda -o environment.yml`, "
                "`PIP_NO_DEPS=1 conda env create -f environment.yml`, then `envstage check`"
            ),
        )
    is_explicit = all(each.archive and each.channel for each in pins)
    text = conda_explicit.render(snapshot) if is_explicit else ""
    return CondaPart(program=program, pins=pins, text=text)


def is_out_of_reach(pin: CondaPin) -> bool:
    """Whether it came from a channel in a folder of the captured machine."""
    return pin.channel == "local"


def make(
    part: CondaPart, folder: str, environ: dict[str, str], progress: Progress, *, is_offline: bool
) -> None:
    """Make the environment in a folder that is there, with the mark of what is not finished.

    `create` refuses a folder with anything in it; `install` takes one that has a history.

    Raises:
        BuildError: which archive, and why.
    """
    os.makedirs(os.path.join(folder, META), exist_ok=True)
    for path, text in ((os.path.join(META, "history"), ""), (LIST, part.text)):
        with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
            file.write(text)
    kept = {name: text for name, text in environ.items() if name not in _DROPPED}
    done = run(part.command(folder, is_offline=is_offline), environ=kept, progress=progress)
    os.unlink(os.path.join(folder, LIST))
    if done.returncode:
        raise failure(done, _names(part.pins))


def _names(pins: Sequence[CondaPin]) -> list[str]:
    """What conda calls them when it complains: the archive, or name and version."""
    archives = [(each.archive or "").rpartition("/")[2] for each in pins]
    return [*(name for name in archives if name), *(each.name for each in pins)]
