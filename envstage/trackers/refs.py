"""REFs of training scripts beside those of `envstage.refs`: tracked runs, flat environment.json.

`mlflow:<run id>` goes over the network, to the server that the user's own settings name, and only
because the REF says so by its prefix.
"""

import os
from collections.abc import Mapping
from typing import Final

from envstage import layout, refs
from envstage.notebook.flat import OWN_KEY
from envstage.project import Project
from envstage.refs import Named
from envstage.snapshot.canonical import parsed
from envstage.snapshot.document import decode
from envstage.trackers.interface import snapshot_document
from envstage.world import World

MLFLOW: Final = "mlflow:"
_LIMIT_BYTES: Final = 64 * 1024 * 1024


def resolve(world: World, project: Project, ref: str, environment: str, start: str = ".") -> Named:
    """Find the snapshot that a REF names: a tracked run, or whatever `envstage.refs` knows.

    Raises:
        EnvstageError: nothing has that name, or it is no snapshot.
    """
    if ref.startswith(MLFLOW):
        from envstage.trackers import mlflow

        return _named(mlflow.fetch(ref.removeprefix(MLFLOW)), ref)
    document = _within_flat(os.path.join(start, ref))
    if document is not None:
        return _named(document, ref)
    return refs.resolve(world, project, ref, environment, start)


def _named(document: bytes, ref: str) -> Named:
    snapshot = decode(document, ref)
    return Named(label=ref, level=snapshot.level, facts=snapshot.facts, snapshot=snapshot)


def _within_flat(ref: str) -> bytes | None:
    """The snapshot that a flat environment.json carries: it says more than the flat keys."""
    path = os.path.join(ref, layout.SNAPSHOT) if os.path.isdir(ref) else ref
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT_BYTES)
        document = parsed(data) if f'"{OWN_KEY}"'.encode() in data else None
    except (OSError, ValueError):
        return None
    return snapshot_document(document) if isinstance(document, Mapping) else None
