"""What a tracker's module gives: `NAME` and `log`; a `fetch` where a run can be asked later.

Trackers are optional: their packages are imported inside the functions, when they are called.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from envstage.notebook.flat import OWN_KEY
from envstage.snapshot.canonical import canonical
from envstage.snapshot.document import decode, snapshot_fingerprint
from envstage.snapshot.model import Snapshot

FOLDER: Final = "environment"
SNAPSHOT: Final = "snapshot.json"
"""Beside the three files of the guide: what `envstage diff` and `envstage show` read."""

_VERSIONS: Final = (
    ("python", "python_version_short"),
    ("torch", "torch_version"),
    ("transformers", "transformers_version"),
    ("numpy", "numpy_version"),
    ("cuda", "cuda_version"),
    ("cudnn", "cudnn_version"),
    ("gpu", "gpu_name"),
)


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """The paths of the three files that `save_environment_snapshot` wrote."""

    requirements: str
    environment: str
    reproduce: str

    @property
    def all(self) -> tuple[str, str, str]:
        """Every path."""
        return self.requirements, self.environment, self.reproduce


class Tracker(Protocol):
    """The shape of a tracker's module."""

    NAME: str

    def log(self, files: Files, env_info: Mapping[str, Any]) -> str:
        """Record the environment with the active run; says where.

        Raises:
            ImportError: the tracker's package is not installed.
            RuntimeError: there is no active run.
        """


class Source(Protocol):
    """A tracker that gives a run's snapshot back."""

    def fetch(self, reference: str) -> bytes:
        """The snapshot's document by a run's name; an `EnvstageError` where there is none."""


def key_versions(env_info: Mapping[str, Any]) -> dict[str, str]:
    """The few values that people filter runs by, as text; what is not there is left out."""
    found = {name: str(env_info[key]) for name, key in _VERSIONS if env_info.get(key) is not None}
    fingerprint = fingerprint_of(env_info)
    return found | ({"fingerprint": fingerprint} if fingerprint else {})


def fingerprint_of(env_info: Mapping[str, Any]) -> str | None:
    """The fingerprint of the snapshot within; None in a dict that no capture made."""
    snapshot = snapshot_of(env_info)
    return snapshot_fingerprint(snapshot) if snapshot else None


def snapshot_of(env_info: Mapping[str, Any]) -> Snapshot | None:
    """The snapshot that `capture_environment` put in; None in a dict that somebody else made."""
    document = snapshot_document(env_info)
    return decode(document, f"env_info[{OWN_KEY!r}]") if document else None


def snapshot_document(env_info: Mapping[str, Any]) -> bytes | None:
    """The bytes of that snapshot's document, as `envstage capture` would write them."""
    own = env_info.get(OWN_KEY)
    document = own.get("snapshot") if isinstance(own, Mapping) else None
    if not isinstance(document, Mapping):
        return None
    return canonical(json.loads(json.dumps(document)))
