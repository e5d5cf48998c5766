"""Edits of one file that programs and people make, and some that hide as well as they can."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Edit: TypeAlias = Callable[[Path, random.Random], object]


def flipped(content: bytes, rng: random.Random) -> bytes:
    """The same, but for one letter or digit; as long as before."""
    places = [place for place, byte in enumerate(content) if chr(byte).isalnum() and byte < 128]
    if not places:
        return content
    place = rng.choice(places)
    other = rng.choice([byte for byte in b"0123456789abcdefx" if byte != content[place]])
    return content[:place] + bytes([other]) + content[place + 1 :]


def replace(path: Path, content: bytes) -> None:
    """In one step, as a careful program writes."""
    beside = path.with_name(f"{path.name}.beside")
    beside.write_bytes(content)
    beside.chmod(path.stat().st_mode if path.exists() else 0o644)
    beside.replace(path)


def link(path: Path, target: Path) -> None:
    """Lead a symbolic link there, in one step."""
    beside = path.with_name(f"{path.name}.beside")
    beside.symlink_to(target)
    beside.replace(path)


def _in_place(path: Path, rng: random.Random) -> None:
    with path.open("r+b") as file:
        content = flipped(file.read(), rng)
        file.seek(0)
        file.write(content)


def _keeping_times(edit: Edit) -> Edit:
    def kept(path: Path, rng: random.Random) -> None:
        look = path.stat()
        edit(path, rng)
        os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))

    return kept


def _grow(path: Path, rng: random.Random) -> None:
    with path.open("ab") as file:
        file.write(rng.choice([b"\n", b"# more\n", b"x"]))


def _to_a_link(path: Path, rng: random.Random) -> None:
    target = path.with_name(f"{path.name}.linked")
    target.write_bytes(flipped(path.read_bytes(), rng))
    link(path, target)


EDITS: dict[str, Edit] = {
    "in place": _in_place,
    "in place, times kept": _keeping_times(_in_place),
    "grown, times kept": _keeping_times(_grow),
    "replaced": lambda path, rng: replace(path, flipped(path.read_bytes(), rng)),
    "replaced, times kept": _keeping_times(
        lambda path, rng: replace(path, flipped(path.read_bytes(), rng))
    ),
    "replaced by itself": lambda path, _: replace(path, path.read_bytes()),
    "cut off": lambda path, rng: os.truncate(path, rng.randrange(path.stat().st_size + 1)),
    "emptied": lambda path, _: os.truncate(path, 0),
    "deleted": lambda path, _: path.unlink(),
    "touched": lambda path, rng: os.utime(path, (0, rng.choice([0, 10**9, 4 * 10**9]))),
    "other mode": lambda path, rng: path.chmod(rng.choice([0o600, 0o444, 0o755])),
    "a link": _to_a_link,
}
