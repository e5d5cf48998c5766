"""The same proof in a container, as commands: generated, and not run by envstage."""

import shlex

from envstage import layout
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Snapshot

FILE = "Dockerfile.envstage"


def commands(snapshot: Snapshot, revision: str) -> tuple[str, ...]:
    """What a shell needs to build the image at a revision and to compare it with the snapshot."""
    name = snapshot.environment
    image = f"envstage-{snapshot_fingerprint(snapshot)[:14]}"
    option = "" if name == layout.MAIN else f" --environment {shlex.quote(name)}"
    # In a folder of its own: the environment that is compared must stay as it was built.
    inside = (
        "cd /project && python -m venv /opt/envstage && "
        "/opt/envstage/bin/pip install --quiet envstage && "
        f"/opt/envstage/bin/envstage check{option}"
    )
    return (
        f"envstage export dockerfile {shlex.quote(revision)}{option} -o {FILE}",
        f"docker build --file {FILE} --tag {image} .",
        f"docker run --rm --volume .:/project:ro {image} sh -c {shlex.quote(inside)}",
    )
