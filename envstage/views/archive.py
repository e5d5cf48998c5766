"""Earlier finalised views: what capture predicts from, kept beside the project's state.

`.envstage/archive/<environment>/<view>/<number>.json`, the highest number the newest. Deleting
it costs at most a rerun: the view in Git is the newest finalised one, and stays.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from envstage.errors import EnvstageError
from envstage.snapshot.canonical import canonical, parsed
from envstage.snapshot.files import write
from envstage.views import document as view_document
from envstage.views.document import ViewDocument

_FOLDER: Final = "archive"
_BY_MD5: Final = "views"
_KEPT: Final = 50
_FILE: Final = re.compile(r"(\d{1,12})\.json")
_LIMIT_BYTES: Final = 16 * 1024 * 1024


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """A finalised view, and what it was finalised with.

    Attributes:
        view: the view; wide where the run could not be observed completely.
        inputs: digests of the run's own code, its parameters and its command: they tell which
            of several views that hold on this machine belongs to the code as it is now.
        reasons: for each fact that the observation asked for, why (address → words).
        doubts: why it stayed wide.
        verdicts: what was otherwise than the view said, and was let pass.
    """

    view: ViewDocument
    inputs: dict[str, str]
    reasons: dict[str, str] = {}
    doubts: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()


def read(state: str, environment: str, view: str) -> tuple[Archived, ...]:
    """The archived views, the newest first. What cannot be read is as if it was not there."""
    folder = folder_of(state, environment, view)
    found = []
    for number in sorted(_numbers(folder), reverse=True):
        entry = _read(os.path.join(folder, f"{number}.json"))
        if entry is not None:
            found.append(entry)
    return tuple(found)


def add(state: str, environment: str, view: str, entry: Archived) -> None:
    """Keep a finalised view as the newest; the same one as before moves to the front."""
    folder = folder_of(state, environment, view)
    fields = {
        "doubts": list(entry.doubts),
        "inputs": entry.inputs,
        "reasons": entry.reasons,
        "view": view_document.as_json(entry.view),
    }
    content = canonical(fields | ({"verdicts": list(entry.verdicts)} if entry.verdicts else {}))
    numbers = sorted(_numbers(folder))
    for number in numbers[:-_KEPT] + [
        each for each in numbers if _content(os.path.join(folder, f"{each}.json")) == content
    ]:
        _remove(os.path.join(folder, f"{number}.json"))
    write(os.path.join(folder, f"{(numbers or [0])[-1] + 1}.json"), content)


def keep(state: str, content: bytes) -> None:
    """Keep the bytes of a view by the md5 that dvc.lock knows it by."""
    name = hashlib.md5(content, usedforsecurity=False).hexdigest()
    write(os.path.join(state, _BY_MD5, f"{name}.json"), content, is_durable=False)


def kept(state: str, md5: str) -> bytes | None:
    """The bytes of a view that DVC recorded by this md5, if they were kept."""
    if not re.fullmatch(r"[0-9a-f]{32}", md5):
        return None
    return _content(os.path.join(state, _BY_MD5, f"{md5}.json")) or None


def all_kept(state: str) -> Iterator[bytes]:
    """The bytes of every view that was kept, in no order."""
    try:
        names = os.listdir(os.path.join(state, _BY_MD5))
    except OSError:
        return
    for name in names:
        yield _content(os.path.join(state, _BY_MD5, name))


def files(state: str, environment: str, view: str) -> Iterator[str]:
    """What `read` reads: the folder of the archived views of a view, and each of its files."""
    folder = folder_of(state, environment, view)
    yield folder
    for number in sorted(_numbers(folder)):
        yield os.path.join(folder, f"{number}.json")


def folder_of(state: str, environment: str, view: str) -> str:
    """Where the archived views of a view lie."""
    return os.path.join(state, _FOLDER, environment, view)


def _numbers(folder: str) -> list[int]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [int(match[1]) for name in names if (match := _FILE.fullmatch(name))]


def _read(path: str) -> Archived | None:
    try:
        entry = parsed(_content(path))
        return Archived(
            view=view_document.from_json(entry["view"], path),
            inputs=_texts(entry["inputs"]),
            reasons=_texts(entry.get("reasons", {})),
            doubts=tuple(str(each) for each in entry.get("doubts", ())),
            verdicts=tuple(str(each) for each in entry.get("verdicts", ())),
        )
    except (EnvstageError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _texts(item: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in item.items()}


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LIMIT_BYTES)
    except OSError:
        return b""


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
