"""What a REF names: a file or folder, a Git revision, an experiment, a fingerprint, `now`, `-`.

Naming executes nothing that the repository names: Git is asked by plumbing commands that know
neither filters nor hooks nor pagers, and only `now` looks at the machine.
"""

from envstage.refs.find import (
    NOW,
    fresh,
    named_capture,
    now,
    on_disk,
    pair,
    project_or_folder,
    resolve,
    view_documents,
    view_on_disk,
)
from envstage.refs.named import Named

__all__ = [
    "NOW",
    "Named",
    "fresh",
    "named_capture",
    "now",
    "on_disk",
    "pair",
    "project_or_folder",
    "resolve",
    "view_documents",
    "view_on_disk",
]
