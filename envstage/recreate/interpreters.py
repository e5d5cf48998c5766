"""Interpreters of this machine: uv's, pyenv's, those on PATH; the exact version if there is one."""

import os
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.export.packages import python_version
from envstage.recreate.installer import Installer
from envstage.recreate.process import Progress, run
from envstage.snapshot.canonical import parsed_as
from envstage.snapshot.model import Snapshot
from envstage.world import TimedOut, World

_TIMEOUT_S: Final = 30
_ASK: Final = (
    "import sys, sysconfig; v = sys.version_info;"
    "print(sys.implementation.name, '%d.%d.%d' % v[:3] + ('' if v[3] == 'final' else "
    "{'alpha': 'a', 'beta': 'b', 'candidate': 'rc'}[v[3]] + str(v[4])),"
    "sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
)


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter that is here."""

    path: str
    implementation: str
    version: str
    is_free_threaded: bool = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreter of a snapshot."""

    implementation: str
    version: str
    is_free_threaded: bool

    @property
    def minor(self) -> str:
        """`3.11`."""
        return ".".join(self.version.split(".")[:2])

    def is_kin(self, other: Interpreter) -> bool:
        """Whether compiled modules of the one work under the other."""
        return (
            other.implementation == self.implementation
            and other.is_free_threaded == self.is_free_threaded
            and ".".join(other.version.split(".")[:2]) == self.minor
        )


def wanted_by(snapshot: Snapshot) -> Wanted:
    """The interpreter that a snapshot describes; `EnvstageError` where it does not know."""
    version = python_version(snapshot)
    if version is None:
        raise EnvstageError(
            "the snapshot does not know the version of its interpreter",
            fix="Capture again where `python` of the environment can be started",
        )
    implementation = snapshot.facts.get(("python", "implementation"))
    return Wanted(
        implementation=implementation if isinstance(implementation, str) else "cpython",
        version=version,
        is_free_threaded=snapshot.facts.get(("python", "free_threading")) is True,
    )


def find_interpreter(
    world: World,
    wanted: Wanted,
    installer: Installer,
    progress: Progress,
    *,
    is_strict: bool,
) -> Interpreter:
    """The exact version, here or through uv; else the nearest of the same minor version.

    Raises:
        EnvstageError: there is none, or (strict) none of the exact version.
    """
    kin = [each for each in _here(world, wanted, installer) if wanted.is_kin(each)]
    exact = [each for each in kin if each.version == wanted.version]
    if exact:
        return exact[0]
    fetched = _fetched(world, wanted, installer, progress)
    if fetched is not None:
        return fetched
    if kin and not is_strict:
        return min(kin, key=lambda each: _distance(each.version, wanted.version))
    near = f"; the nearest is {kin[0].version}" if kin else ""
    raise EnvstageError(
        f"there is no {wanted.implementation} {wanted.version} on this machine{near}",
        fix=f"Install it (`uv python install {wanted.version}`, `pyenv install {wanted.version}`)"
        + (", or leave --strict out" if kin else ""),
    )


def _here(world: World, wanted: Wanted, installer: Installer) -> Iterator[Interpreter]:
    seen: set[str] = set()
    for path in _candidates(world, wanted, installer):
        real = world.real_path(path)
        if real in seen:
            continue
        seen.add(real)
        found = asked(world, path)
        if found is not None:
            yield found


def _candidates(world: World, wanted: Wanted, installer: Installer) -> Iterator[str]:
    """Paths of interpreters that could be it; pyenv's first, they are named by their version."""
    yield from _of_pyenv(world, wanted)
    if installer.uv:
        yield from _of_uv(world, wanted, installer.uv)
    for name in (f"python{wanted.minor}", "python3", "python", f"pypy{wanted.minor}"):
        path = world.which(name)
        # A shim asks the folder that it is called in which version it stands for.
        if path is not None and "shims" not in path:
            yield path


def _of_pyenv(world: World, wanted: Wanted) -> Iterator[str]:
    home = world.environ.get("HOME", "")
    root = world.environ.get("PYENV_ROOT") or os.path.join(home, ".pyenv")
    folder = os.path.join(root, "versions")
    try:
        names = world.list_dir(folder)
    except OSError:
        return
    for name in sorted(names, key=lambda each: each != wanted.version):
        if wanted.minor in name:
            yield os.path.join(folder, name, "bin", "python")


def _of_uv(world: World, wanted: Wanted, uv: str) -> Iterator[str]:
    argv = (uv, "python", "list", "--only-installed", "--output-format", "json", wanted.minor)
    try:
        done = world.run(argv, timeout_s=_TIMEOUT_S)
        listed = parsed_as(done.stdout or b"[]", list[dict[str, object]])
    except (OSError, TimedOut, ValueError):
        return
    paths = [str(each["path"]) for each in listed if each.get("path")]
    yield from (path for path in paths if "shims" not in path)


def asked(world: World, path: str) -> Interpreter | None:
    """What an interpreter says of itself; None where it does not start."""
    try:
        done = world.run((path, "-I", "-S", "-c", _ASK), timeout_s=_TIMEOUT_S)
    except (OSError, TimedOut):
        return None
    words = done.stdout.decode("utf-8", "replace").split()
    if done.returncode or len(words) != 3:
        return None
    return Interpreter(
        path=path, implementation=words[0], version=words[1], is_free_threaded=words[2] == "1"
    )


def _fetched(
    world: World, wanted: Wanted, installer: Installer, progress: Progress
) -> Interpreter | None:
    """The exact version through uv, which keeps interpreters of its own."""
    if not installer.uv or installer.is_offline:
        return None
    request = f"{wanted.implementation}-{wanted.version}" + ("t" * wanted.is_free_threaded)
    progress(f"asking uv for {request}")
    argv = [installer.uv, "python", "install", "--no-bin", request]
    try:
        if run(argv, environ=world.environ, progress=progress).returncode:
            return None
        argv = [installer.uv, "python", "find", "--managed-python", request]
        path = world.run(argv, timeout_s=_TIMEOUT_S).stdout.decode("utf-8", "replace").strip()
    except (OSError, TimedOut):
        return None
    found = asked(world, path) if path else None
    return found if found is not None and found.version == wanted.version else None


def _distance(version: str, other: str) -> int:
    return abs(_patch(version) - _patch(other))


def _patch(version: str) -> int:
    match = re.match(r"\d+\.\d+\.(\d+)", version)
    return int(match[1]) if match else 0
