"""What a text is to say once all edits are made."""

from typing import Any, TypeAlias

from envstage.pipelines.yaml_tree import Path
from envstage.pipelines.yaml_values import Meaning, meaning_of

_Parts: TypeAlias = "dict[Any, Wanted | None]"


class Wanted:
    """What a text says, with changes. A part is unpacked once, however many changes it holds."""

    def __init__(self, said: Meaning = ("null",)) -> None:
        self._said = said
        self._parts: _Parts | None = None

    def put(self, path: Path, said: Meaning) -> None:
        """Let the value at a path be another; its last steps may be new keys or a new item."""
        if not path:
            self._said, self._parts = said, None
            return
        parts = self._unpacked(path[0])
        key = _key(path[0], parts)
        part = parts.get(key) or Wanted()
        parts[key] = part
        part.put(path[1:], said)

    def drop(self, path: Path) -> None:
        """Take the entry or item at a path out; the items behind it keep their numbers."""
        parts = self._unpacked(path[0])
        key = _key(path[0], parts)
        part = parts.get(key)
        if part is not None and len(path) > 1:
            part.drop(path[1:])
        elif part is not None:
            parts[key] = None

    def meaning(self) -> Meaning:
        """The whole, with its changes."""
        if self._parts is None:
            return self._said
        kept = [(key, part.meaning()) for key, part in self._parts.items() if part is not None]
        if self._said[0] == "sequence":
            return ("sequence", tuple(said for _, said in kept))
        return ("mapping", tuple(kept))

    def _unpacked(self, step: str | int) -> _Parts:
        if self._parts is None:
            kind = "sequence" if isinstance(step, int) else "mapping"
            listed = self._said[1] if self._said[0] == kind else ()
            pairs = enumerate(listed) if kind == "sequence" else listed
            self._said, self._parts = (kind, listed), {key: Wanted(said) for key, said in pairs}
        return self._parts


def _key(step: str | int, parts: _Parts) -> Any:
    """A step as the parts are named: a key such as `12` is typed in the file, a text in a path."""
    if isinstance(step, int) or meaning_of(step) in parts or ("typed", step) not in parts:
        return step if isinstance(step, int) else meaning_of(step)
    return ("typed", step)
