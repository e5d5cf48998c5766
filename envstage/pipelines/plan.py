"""Plans: edits of files, shown before they are made, then made together or not at all."""

import contextlib
import os
import re
import tempfile

import msgspec

from envstage.errors import EnvstageError
from envstage.pipelines.line_diff import unified_diff
from envstage.pipelines.yaml_splice import Edits


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One file, before and after; nothing stands for a file that is not there.

    The path is relative to the project, with `/`. Bytes that are no UTF-8 are kept as surrogates.
    """

    path: str
    before: str | None
    after: str | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is about to be written, and what the user should know about it."""

    edits: tuple[Edit, ...] = ()
    messages: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not self.edits

    def diff(self) -> str:
        """All edits as one unified diff."""
        return "".join(_diff(edit) for edit in self.edits)


class Draft:
    """The project's files as they will be: read from disk, changed in memory."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._messages: dict[str, None] = {}
        self._before: dict[str, str | None] = {}
        self._after: dict[str, str | None] = {}
        self._edits: dict[str, Edits] = {}

    def read(self, path: str) -> str | None:
        """A file's text with the changes so far; nothing if it is not there.

        Raises:
            EnvstageError: it cannot be read, or its YAML not be edited safely.
        """
        if path not in self._after:
            self._before[path] = self._after[path] = read_text(self.root, path)
        elif path in self._edits:
            self._after[path] = self._edits.pop(path).text()
        return self._after[path]

    def has(self, path: str) -> bool:
        """Whether a file is there, or will be."""
        return path in self._edits or self.read(path) is not None

    def write(self, path: str, text: str | None) -> None:
        """Change a file; nothing removes it."""
        self.read(path)
        self._after[path] = text

    def edits(self, path: str) -> Edits:
        """A file's YAML, to be changed: many edits are made as one, when it is read again."""
        if path not in self._edits:
            self._edits[path] = Edits(self.read(path) or "", name=path)
        return self._edits[path]

    def say(self, message: str) -> None:
        """Tell the user something, once."""
        self._messages[message] = None

    def plan(self) -> Plan:
        """The changes so far."""
        for path in tuple(self._edits):
            self.read(path)
        edits = (
            Edit(path=path, before=self._before[path], after=after)
            for path, after in self._after.items()
            if after != self._before[path]
        )
        return Plan(edits=tuple(edits), messages=tuple(self._messages))


def read_text(root: str, path: str) -> str | None:
    """The text of a file of the project, line breaks as they are; nothing if it is not there."""
    try:
        with open(os.path.join(root, path), "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EnvstageError(f"cannot be read: {error.strerror}", where=path) from None


def apply(plan: Plan, root: str) -> None:
    """Make the edits of a plan.

    Everything is written beside its place first and then renamed into it; if that fails half
    way, what was renamed is put back.

    Raises:
        EnvstageError: a file changed since the plan was made (nothing is written then), or the
            disk refused.
    """
    for edit in plan.edits:
        if read_text(root, edit.path) != edit.before:
            raise EnvstageError(
                "changed since the plan was made", where=edit.path, fix="Run the command again"
            )
    begun: list[Edit] = []
    staged: dict[str, str] = {}
    where = ""
    try:
        for edit in plan.edits:
            where = edit.path
            if edit.after is not None:
                staged[where] = _stage(root, where, edit.after)
        for edit in plan.edits:
            where = edit.path
            begun.append(edit)
            _place(root, where, staged.get(where))
    except OSError as error:
        _put_back(root, begun)
        raise EnvstageError(
            f"cannot be written: {error.strerror}; nothing was changed", where=where
        ) from None
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _stage(root: str, path: str, text: str) -> str:
    """Write a text to a temporary file beside its place, with the mode of what it replaces."""
    place = os.path.realpath(os.path.join(root, path))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".envstage-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(place))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary


def _mode(place: str) -> int:
    try:
        return os.stat(place).st_mode & 0o7777
    except FileNotFoundError:
        # What `open` would have given: a temporary file is for its owner alone.
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _place(root: str, path: str, temporary: str | None) -> None:
    place = os.path.realpath(os.path.join(root, path))
    if temporary is not None:
        os.replace(temporary, place)
        return
    os.unlink(place)
    top, folder = os.path.realpath(root), os.path.dirname(place)
    with contextlib.suppress(OSError):  # folders go if this was all that they held
        while folder != top:
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def _put_back(root: str, edits: list[Edit]) -> None:
    for edit in edits:
        if read_text(root, edit.path) == edit.before:
            continue
        with contextlib.suppress(OSError):
            text = edit.before
            _place(root, edit.path, None if text is None else _stage(root, edit.path, text))


def _diff(edit: Edit) -> str:
    lines = unified_diff(
        _lines(edit.before),
        _lines(edit.after),
        "/dev/null" if edit.before is None else f"a/{edit.path}",
        "/dev/null" if edit.after is None else f"b/{edit.path}",
    )
    marked = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    text = "".join(marked)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _lines(text: str | None) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text or "")
