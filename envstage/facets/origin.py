"""Where a distribution came from: direct_url.json (PEP 610), editable checkouts, the project."""

import os
import posixpath
import re
from typing import Any, Final

import msgspec

from envstage.facets.checkout import checkout_of, remote_of
from envstage.facets.contract import Installed
from envstage.snapshot.canonical import parsed
from envstage.snapshot.model import Unknown, Value
from envstage.snapshot.secrets import is_secret_value, without_secrets
from envstage.snapshot.tree import tree_digest
from envstage.world import World

OWN: Final = "the project itself"
# Beside the packages of a checkout; of no use to them unless the checkout's top is importable.
BESIDE: Final = frozenset({"tests", "test", "docs", "doc"})
_LOCAL: Final = "installed from a local file"
_VCS: Final = ("git", "hg", "svn", "bzr")
# From site-packages up to the environment: `lib/python3.11/site-packages`, `Lib/site-packages`.
_DEPTH: Final = 3
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_HASH: Final = re.compile(r"(sha256|sha384|sha512)=([0-9a-fA-F]{32,128})")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The origin of one distribution. All empty: an index, or nobody knows."""

    url: str | None = None
    commit: str | None = None
    subdirectory: str | None = None
    source: str | Unknown | None = None
    editable: str | None = None
    changes: str | None = None
    note: str | None = None
    anomalies: tuple[str, ...] = ()

    def facts(self) -> dict[str, Value]:
        """What is known, by the name of the fact."""
        values = {
            "url": self.url,
            "commit": self.commit,
            "subdirectory": self.subdirectory,
            "source": self.source,
            "editable": self.editable,
            "changes": self.changes,
            "note": self.note,
        }
        return {name: value for name, value in values.items() if value is not None}


def origin_of(world: World, root: str, installed: Installed) -> Origin:
    """Read the origin of a distribution; never its credentials (cases 1 and 2).

    Args:
        root: the project's folder; an editable install inside it, or of the same project in
            another clone, is the project's own code and has no `source` (cases 9 and 42).
    """
    if installed.direct_url is None:
        return _linked(world, root, installed)
    try:
        document = parsed(installed.direct_url.encode("utf-8", "replace"))
    except ValueError:
        return Origin(anomalies=(f"{installed.name}: direct_url.json is not JSON",))
    if not isinstance(document, dict) or not isinstance(document.get("url"), str):
        return Origin(anomalies=(f"{installed.name}: direct_url.json names no URL",))
    if isinstance(document.get("dir_info"), dict):
        return _folder(world, root, installed, document)
    return _remote(world, installed, document)


def _remote(world: World, installed: Installed, document: dict[str, Any]) -> Origin:
    url = str(document["url"])
    clean = without_secrets(url)
    note = "needs credentials" if "@" in _authority(url).replace("git@", "") else None
    if url.startswith("file:"):
        # A path says nothing elsewhere, and may name its owner (case 4).
        clean, note = "file", _LOCAL
    subdirectory = document.get("subdirectory")
    vcs = document.get("vcs_info")
    if isinstance(vcs, dict):
        commit = str(vcs.get("commit_id", ""))
        if not _COMMIT.fullmatch(commit):
            return Origin(url=clean, note=note, source=Unknown("its commit is not recorded"))
        if note == _LOCAL:
            # A clone of somewhere else: that is where others find the commit.
            clean = remote_of(world, local_path(url) or "") or clean
        kind = vcs.get("vcs")
        return Origin(
            url=f"{kind}+{clean}" if kind in _VCS else clean,
            commit=commit,
            subdirectory=_inner(subdirectory),
            source=f"commit:{commit}",
            note=note,
        )
    digest = _archive_digest(document.get("archive_info"))
    return Origin(
        url=clean,
        subdirectory=_inner(subdirectory),
        source=digest,
        note=note,
        anomalies=()
        if digest or installed.build
        else (f"{installed.name}: installed from a URL, and neither hash nor RECORD is there",),
    )


def _authority(url: str) -> str:
    """User, host and port of a URL, whatever stands there."""
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]


def _archive_digest(info: object) -> str | None:
    if not isinstance(info, dict):
        return None
    hashes = info.get("hashes")
    if isinstance(hashes, dict) and isinstance(hashes.get("sha256"), str):
        return f"sha256:{hashes['sha256'].lower()}"
    match = _HASH.fullmatch(str(info.get("hash", "")))
    return f"{match[1]}:{match[2].lower()}" if match else None


def _folder(world: World, root: str, installed: Installed, document: dict[str, Any]) -> Origin:
    path = local_path(str(document["url"]))
    if path is None:
        return Origin(anomalies=(f"{installed.name}: direct_url.json names no local folder",))
    path = posixpath.join(path, _inner(document.get("subdirectory")) or "")
    if not document["dir_info"].get("editable"):
        # A copy: its files have a RECORD, and the folder may be gone by now.
        inside = _within(world, path, root)
        url = f"./{inside}" if inside not in (None, ".") else inside
        return Origin(url=url, note="built from a local folder")
    return _editable(world, root, installed, path)


def _linked(world: World, root: str, installed: Installed) -> Origin:
    """A `setup.py develop` install: its metadata lies in the checkout, outside site-packages."""
    info = os.path.basename(installed.metadata_path).lower()
    if not info.endswith(".egg-info"):
        return Origin()
    if world.exists(os.path.join(installed.location, "setup.py")) or world.exists(
        os.path.join(installed.location, "pyproject.toml")
    ):
        return _editable(world, root, installed, installed.location)
    return Origin()


def _editable(world: World, root: str, installed: Installed, path: str) -> Origin:
    inside = _within(world, path, root)
    if inside is not None and not _is_of_environment(world, installed, path):
        return Origin(editable=inside, note=OWN)
    if _is_own_project(world, root, installed.name):
        return Origin(editable=".", note=OWN)
    world.witness("tree", path, None)
    try:
        without = BESIDE if _is_importable_inside(world, installed, path) else frozenset[str]()
        digest: str | Unknown = tree_digest(path, without=without)
    except OSError as error:
        digest = Unknown(f"its checkout cannot be read: {error.strerror}")
    state = checkout_of(world, path)
    return Origin(
        url=state.url,
        commit=state.commit,
        subdirectory=_inner(state.subdirectory),
        changes=state.changes,
        editable="outside the project",
        source=digest,
    )


def _is_of_environment(world: World, installed: Installed, path: str) -> bool:
    """Whether a checkout lies in the environment that it is installed in.

    `pip install -e git+https:…` clones into `src/` there, and so does `envstage recreate`: an
    environment within the project does not make it the project's code.
    """
    folder = installed.location
    for _ in range(_DEPTH):
        folder = os.path.dirname(folder)
        if any(world.exists(os.path.join(folder, mark)) for mark in ("pyvenv.cfg", "conda-meta")):
            return _within(world, path, folder) is not None
    return False


def _is_importable_inside(world: World, installed: Installed, path: str) -> bool:
    """Whether an editable install makes folders below its checkout importable, not its top.

    Told by the .pth files that the installer wrote; a finder of setuptools' (`__editable__…`)
    maps names to files and says nothing of this.
    """
    try:
        record = world.read(os.path.join(installed.metadata_path, "RECORD"))
    except OSError:
        return False
    names = [line.rsplit(",", 2)[0] for line in record.decode("utf-8", "replace").splitlines()]
    entries: list[str] = []
    for name in names:
        if name.endswith(".pth") and "/" not in name:
            try:
                text = world.read(os.path.join(installed.location, name)).decode("utf-8", "replace")
            except OSError:
                return False
            entries += [line.strip() for line in text.splitlines() if line.strip()]
    inside = [_within(world, entry, path) for entry in entries if os.path.isabs(entry)]
    return bool(inside) and len(inside) == len(entries) and None not in inside and "." not in inside


def _is_own_project(world: World, root: str, name: str) -> bool:
    """Whether the project that is built here has this name: another clone's install (case 42)."""
    try:
        text = world.read(os.path.join(root, "pyproject.toml")).decode("utf-8", "replace")
    except OSError:
        return False
    section = re.search(r"(?ms)^\[project\]\s*$(.*?)(?=^\[|\Z)", text)
    match = re.search(r"""(?m)^name\s*=\s*["']([^"']+)["']""", section[1]) if section else None
    return match is not None and re.sub(r"[-_.]+", "-", match[1]).lower() == name


def _within(world: World, path: str, root: str) -> str | None:
    try:
        real, real_root = world.real_path(path), world.real_path(root)
    except OSError:
        return None
    if real == real_root:
        return "."
    if real.startswith(real_root + os.sep):
        return real[len(real_root) + 1 :].replace(os.sep, "/")
    return None


def local_path(url: str) -> str | None:
    """The path of a `file:` URL of this machine; None for any other URL."""
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = unquote(parts.path)
    if not path.isprintable():
        return None
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path


def _inner(subdirectory: object) -> str | None:
    """A subdirectory that stays inside its repository."""
    if not isinstance(subdirectory, str) or not subdirectory.isprintable():
        return None
    if is_secret_value(subdirectory):  # before a `//` in it is made one
        return None
    path = posixpath.normpath(subdirectory)
    return None if path.startswith(("/", "..")) or path == "." else path
