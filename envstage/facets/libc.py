"""The C library that the stage's interpreter is linked against: `glibc 2.36`, `musl 1.2.3`.

Read from files, so that nothing is started: the interpreter names its loader, the loader stands
beside the library, and the library carries its version as text. The highest version alone does
not tell: a machine may have both families (Alpine with gcompat, Nix, Debian with musl).
"""

import os
import re
from typing import Final

from envstage.facets.contract import FactRule, Request
from envstage.snapshot.model import Level, NotApplicable, Unknown, Value
from envstage.world import World

FACT: Final = FactRule("system.libc", Level.PLATFORM, "the C library: glibc 2.36, musl 1.2.3")
FACTS: Final = (FACT,)

# The loader's path stands right after the program headers, unless a tool has moved it.
ELF_HEAD_BYTES: Final = 64 * 1024
_LOADER: Final = re.compile(rb"\0(/[!-~]*/ld(?:-linux|-musl|64|)[!-~]*\.so\.[0-9])\0")
_GLIBC: Final = re.compile(rb"GNU C Library [^\n]{0,200}? version ([0-9]+\.[0-9]+(?:\.[0-9]+)?)")
_GLIBC_NAME: Final = re.compile(r"libc-([0-9]+\.[0-9]+(?:\.[0-9]+)?)\.so")
_MUSL: Final = re.compile(rb"\0([0-9]+\.[0-9]+\.[0-9]+)\0")


def libc(world: World, request: Request) -> Value:
    """Family and version of the C library; not applicable outside Linux."""
    if not world.platform.startswith("linux"):
        return NotApplicable("the C library is part of the system's release")
    loader = _loader_of_interpreter(world, request)
    denied = ""
    for path in _candidates(world, loader):
        try:
            found = _musl(world, path) if "musl" in path else _glibc(world, path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            denied = denied or f": {(error.strerror or 'unreadable').lower()}"
            continue
        if found:
            return found
    return Unknown(f"no C library was found where the interpreter's loader looks{denied}")


def _loader_of_interpreter(world: World, request: Request) -> str | None:
    """The loader that the interpreter's ELF header names."""
    if request.probe is None:
        return None
    try:
        head = world.read(request.probe.executable, ELF_HEAD_BYTES)
    except OSError:
        return None
    match = _LOADER.search(head) if head.startswith(b"\x7fELF") else None
    return match[1].decode("ascii") if match else None


def _candidates(world: World, loader: str | None) -> list[str]:
    """Where the library may be, most likely first."""
    machine = world.machine()
    musl = f"/lib/ld-musl-{machine}.so.1"
    usual = [
        f"/lib/{machine}-linux-gnu/libc.so.6",
        "/lib64/libc.so.6",
        "/usr/lib64/libc.so.6",
        "/usr/lib/libc.so.6",
        "/lib/libc.so.6",
        musl,
    ]
    if loader is None:
        return usual
    if "musl" in loader:
        return [loader, musl]
    real = _real(world, loader)
    beside = [os.path.dirname(path) + "/libc.so.6" for path in (real, loader)]
    return [*beside, *usual[:-1]]


def _real(world: World, path: str) -> str:
    try:
        return world.real_path(path)
    except OSError:
        return path


def _glibc(world: World, path: str) -> str | None:
    """By the file's name (`libc-2.31.so`, before glibc 2.34), or by the text that it prints."""
    named = _GLIBC_NAME.search(_real(world, path))
    if named:
        return f"glibc {named[1]}"
    content = world.read(path)
    match = _GLIBC.match(content, max(0, content.find(b"GNU C Library ")))
    return f"glibc {match[1].decode()}" if match else None


def _musl(world: World, path: str) -> str | None:
    """By the one text in the library that is a version and nothing else."""
    versions = set(_MUSL.findall(world.read(path)))
    return f"musl {versions.pop().decode()}" if len(versions) == 1 else None
