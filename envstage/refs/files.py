"""A file as a REF, or a folder that holds one: ours, a tracker's run, a model's."""

import os
from collections.abc import Iterator
from typing import Final

from envstage import layout
from envstage.compare.foreign import COMPANIONS
from envstage.errors import EnvstageError
from envstage.refs.named import Named, named
from envstage.snapshot.document import LIMIT_BYTES

# Documents that a folder is known by, the most telling first.
_KNOWN: Final = (layout.SNAPSHOT, "wandb-metadata.json", "python_env.yaml", "MLmodel")


def document_in(path: str, environment: str) -> str | None:
    """The document that a path means: itself, or the one in its folder; None if none is there."""
    if os.path.isfile(path):
        return path
    if not os.path.isdir(path):
        return None
    places = [os.path.join(path, *layout.file_of(environment, layout.SNAPSHOT).split("/"))]
    places += [os.path.join(path, name) for name in _KNOWN]
    # A run of W&B's keeps its documents one folder further down.
    places += [os.path.join(path, "files", name) for name in _KNOWN[1:2]]
    return next((place for place in places if os.path.isfile(place)), None)


def is_path(ref: str) -> bool:
    """Whether a REF can only mean a file: it begins as a path does."""
    return ref.startswith((".", "/", "~", os.sep)) or os.path.isabs(ref) or ref.endswith(".json")


def load(path: str, label: str) -> Named:
    """Read a document, with the files beside it that may belong to it; `label`: its name."""
    folder = os.path.dirname(path)
    beside = {
        name: data
        for name in COMPANIONS
        if name != os.path.basename(path)
        and (data := content_of(os.path.join(folder, name))) is not None
    }
    return named(read(path), label, beside)


def read(path: str) -> bytes:
    """The content of a file.

    Raises:
        FileNotFoundError: it is not there.
        EnvstageError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(LIMIT_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise EnvstageError(f"cannot be read: {error.strerror or error}", where=path) from None


def content_of(path: str) -> bytes | None:
    """The content of a file that may be missing."""
    try:
        return read(path) if os.path.isfile(path) else None
    except (OSError, EnvstageError):
        return None


def names_in(folder: str) -> Iterator[str]:
    """The names of the JSON files in a folder that may be missing."""
    try:
        yield from sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except OSError:
        return
