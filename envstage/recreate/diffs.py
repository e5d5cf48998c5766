"""Edits of checkouts, kept beside the snapshot, so that others can rebuild them (case 39).

A file is called by the digest that the snapshot has of the edits. Whether a patch gives the
checkout back is not taken on trust: what was built with it is compared like all else.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Final

from envstage import layout
from envstage.export.packages import Package, packages_of
from envstage.facets.checkout import checkout_of
from envstage.project import Project
from envstage.snapshot.files import write
from envstage.snapshot.model import Snapshot
from envstage.snapshot.secrets import is_secret_value
from envstage.world import TimedOut, World

_TIMEOUT_S: Final = 60
_LIMIT_BYTES: Final = 8 * 1024 * 1024


def patch_of(root: str, environment: str, package: Package) -> str | None:
    """The path of the patch that holds a package's edits; None where nobody archived them."""
    path = os.path.join(root, *_file(environment, package).split("/"))
    return path if package.changes_sha256 and os.path.isfile(path) else None


def archive(
    world: World, project: Project, snapshot: Snapshot, local: Mapping[str, str]
) -> Iterator[str]:
    """Keep the edits of every edited checkout; what was done for each, as one line.

    Args:
        local: where the checkouts lie, by the package's name.
    """
    for package in packages_of(snapshot):
        if package.is_edited:
            folder = local.get(package.name, "")
            yield f"{package.name}: {_archived(world, project, snapshot, package, folder)}"


def _archived(
    world: World, project: Project, snapshot: Snapshot, package: Package, folder: str
) -> str:
    if package.remote is None:
        return "its edits are not archived: no remote has the commit that they belong to"
    changes = checkout_of(world, folder).changes if folder else None
    if changes is None or changes != f"sha256:{package.changes_sha256}":
        return "its edits are not archived: its checkout is not as it was captured"
    data = _diff(world, folder)
    if not data or len(data) > _LIMIT_BYTES:
        return "its edits are not archived: Git gives no diff, or one of more than 8 MiB"
    number = _secret_line(data)
    if number:
        return f"its edits are not archived: line {number} of the diff looks like a secret"
    name = _file(snapshot.environment, package)
    write(project.path(name), data)
    return f"its edits are in {name}: commit it"


def _file(environment: str, package: Package) -> str:
    return layout.file_of(environment, f"{layout.DIFFS}/{package.changes_sha256}.patch")


def _diff(world: World, folder: str) -> bytes:
    """Everything that differs from the commit, files that Git does not know included.

    With an index and an object store of its own: the checkout stays as it is.
    """
    git = world.which("git")
    if git is None:
        return b""
    head = (git, "-C", folder, "-c", "safe.directory=*", "-c", "core.fsmonitor=false")
    try:
        asked: tuple[str, ...] = (
            *head,
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "objects",
        )
        objects = world.run(asked, timeout_s=_TIMEOUT_S).stdout.decode().strip()
        with tempfile.TemporaryDirectory(prefix="envstage-") as own:
            environ = {
                **world.environ,
                "GIT_INDEX_FILE": os.path.join(own, "index"),
                "GIT_OBJECT_DIRECTORY": own,
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
            }
            options = ("--no-ext-diff", "--no-textconv", "--no-color", "--binary")
            for words in (("read-tree", "HEAD"), ("add", "--all", "--", ".")):
                if world.run((*head, *words), timeout_s=_TIMEOUT_S, environ=environ).returncode:
                    return b""
            asked = (*head, "diff", "--cached", "HEAD", *options, "--", ".")
            return world.run(asked, timeout_s=_TIMEOUT_S, environ=environ).stdout
    except (OSError, TimedOut):
        return b""


def _secret_line(data: bytes) -> int:
    """The line that must not get into a repository; 0 where there is none."""
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        is_head = line.startswith(("diff --git ", "index "))
        if not is_head and is_secret_value(line):
            return number
    return 0
