"""What one run used, as it is kept: for a command of several parts, and for shared views."""

import hashlib
import os
from typing import Final

import msgspec

from envstage.runs.policy import Verdicts
from envstage.snapshot.canonical import parsed_as
from envstage.snapshot.files import write
from envstage.views.selection import Selection

_LIMIT_BYTES: Final = 16 * 1024 * 1024


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a run used.

    Attributes:
        selection: None where the run could not be observed completely.
        doubts: why it could not.
        inputs: digests of its own code and parameters, by path.
        reasons: why packages and names are selected, in words, by written address.
        verdicts: what the guard found and was told to let pass.
        outputs: digests of what it wrote, by path; only where a job is known by them.
    """

    selection: Selection | None = None
    doubts: tuple[str, ...] = ()
    inputs: dict[str, str] = {}
    reasons: dict[str, str] = {}
    verdicts: Verdicts = Verdicts()
    outputs: dict[str, str] = {}

    def union(self, other: "Used") -> "Used":
        """What either used; in doubt if either is."""
        selection = None
        if self.selection is not None and other.selection is not None:
            selection = self.selection.union(other.selection)
        return Used(
            selection=selection,
            doubts=tuple(sorted({*self.doubts, *other.doubts})),
            inputs=self.inputs | other.inputs,
            reasons=other.reasons | self.reasons,
            verdicts=self.verdicts.union(other.verdicts),
        )


class Kept:
    """Observations kept in the project's state, one by name, in a folder of their own."""

    def __init__(self, state: str, *parts: str) -> None:
        self._folder = os.path.join(state, *parts)

    def put(self, name: str, used: Used) -> None:
        """Keep an observation; the one of the same name is replaced."""
        entry = {"name": name, "used": used}
        write(self._path(name), msgspec.json.encode(entry, order="deterministic"))

    def all(self) -> dict[str, Used]:
        """What is kept, by name. What cannot be read is as if it was not there."""
        found = {}
        for file in self._files():
            try:
                with open(os.path.join(self._folder, file), "rb") as opened:
                    entry: _Entry = parsed_as(opened.read(_LIMIT_BYTES), _Entry)
            except (OSError, ValueError):
                continue
            found[entry.name] = entry.used
        return found

    def clear(self) -> None:
        """Forget everything."""
        for file in self._files():
            os.unlink(os.path.join(self._folder, file))

    def _files(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._folder) if name.endswith(".json"))
        except OSError:
            return []

    def _path(self, name: str) -> str:
        # A stage's name (`train@a/b`) is no file name.
        key = hashlib.sha256(name.encode()).hexdigest()[:24]
        return os.path.join(self._folder, f"{key}.json")


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    used: Used
