"""A clean folder with nothing but what is committed, and an environment of variables to match."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.project import Project, open_project
from envstage.snapshot.secrets import without_secret_words
from envstage.world import TimedOut, World

_GIT_TIMEOUT_S: Final = 600
# What a machine needs to work at all, and to reach the network. Nothing that says where packages
# come from, which interpreter to use, or who somebody is.
_KEPT: Final = frozenset(
    "PATH LANG LC_ALL LC_CTYPE TZ TMPDIR TEMP TMP SYSTEMROOT HTTP_PROXY HTTPS_PROXY NO_PROXY "
    "http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE PIP_CERT "
    "CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES".split()
)


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The clean folder.

    Attributes:
        project: the clone, at the revision.
        revision: the full commit.
        folder: where the environment is to be built.
        environ: the variables to build and capture with; HOME is empty.
    """

    project: Project
    revision: str
    folder: str
    environ: Mapping[str, str]


@contextlib.contextmanager
def clean_room(world: World, project: Project, revision: str) -> Iterator[Room]:
    """Clone what is committed; removed at the end, whatever happens.

    Raises:
        EnvstageError: no Git, no repository, no such revision.
    """
    git = world.which("git")
    if git is None:
        raise EnvstageError("git is not installed, and only committed files count")
    commit = _git(world, git, project.root, "rev-parse", "--verify", f"{revision}^{{commit}}")
    prefix = _git(world, git, project.root, "rev-parse", "--show-prefix")
    top = _git(world, git, project.root, "rev-parse", "--show-toplevel")
    with tempfile.TemporaryDirectory(prefix="envstage-prove-") as folder:
        clone, home = os.path.join(folder, "repository"), os.path.join(folder, "home")
        os.mkdir(home)
        _git(world, git, folder, "clone", "--quiet", "--no-checkout", "--", top, clone)
        _git(world, git, clone, "checkout", "--quiet", "--detach", commit)
        yield Room(
            project=open_project(os.path.join(clone, prefix)),
            revision=commit,
            folder=os.path.join(folder, "environment"),
            environ=_environ(world, home),
        )


def _environ(world: World, home: str) -> dict[str, str]:
    kept = {name: text for name, text in world.environ.items() if name in _KEPT}
    # `/etc/pip.conf` would be one more thing that is in no commit.
    return kept | {"HOME": home, "PIP_CONFIG_FILE": os.devnull, "ENVSTAGE_CACHE": ""}


def _git(world: World, git: str, folder: str, *words: str) -> str:
    # The repository may be another user's (CI mounts); it is read, not trusted.
    argv = (git, "-C", folder, "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", *words)
    try:
        done = world.run(argv, timeout_s=_GIT_TIMEOUT_S)
    except (OSError, TimedOut) as error:
        raise EnvstageError(f"git does not answer: {error}", where=folder) from None
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise EnvstageError(
            f"git says: {without_secret_words(' '.join(last)) or 'nothing'}",
            where=folder,
            fix="Proving needs a repository and a revision in which environment/ is committed",
        )
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
