"""The states of the global generators in a file, to go on from: JSON, never pickle.

A pickle runs code when it is read. This file holds numbers and nothing else.
"""

import base64
import importlib
import os
from types import ModuleType
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.seeds.contract import LIBRARIES, Streams, imported, library
from envstage.seeds.record import Seeding, remember, seeding_of
from envstage.snapshot.canonical import canonical, parsed_as
from envstage.snapshot.files import write

SCHEMA: Final = 1
_WITH_STATES: Final = ("python", "numpy", "torch")
_LIMIT_BYTES: Final = 64 * 1024 * 1024


class States(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document: base64 of each generator's state, by library and stream."""

    schema: int
    states: dict[str, dict[str, str]]


def save_rng_state(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write the states of the global generators of Python, NumPy and PyTorch.

    Those of the libraries that are imported, on the processor and on every device that was
    started. TensorFlow's global seed and JAX's keys have no state that could be read: keep keys
    with your checkpoint. Generators of a program's own are not in it either.

    Args:
        path: the file; it is replaced whole, or not at all.

    Returns:
        The libraries whose states were saved.

    Raises:
        EnvstageError: the file cannot be written.
    """
    found = {name: library(name).streams(module) for name, module in imported()}
    states = {
        name: {stream: base64.b64encode(data).decode("ascii") for stream, data in streams.items()}
        for name, streams in found.items()
        if streams
    }
    write(os.path.abspath(path), canonical({"schema": SCHEMA, "states": states}))
    return tuple(states)


def restore_rng_state(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Put the global generators back into the states of a file: all of them, or none.

    Nothing of the file is executed, so that one from elsewhere can do no more than set numbers.
    A library in it that is not imported yet is imported.

    Args:
        path: what `save_rng_state` wrote.

    Returns:
        The libraries whose states were restored.

    Raises:
        FileNotFoundError: there is no such file.
        EnvstageError: the file is damaged or of a newer schema, a library or device in it is
            not here. The generators are as they were.
    """
    with open(path, "rb") as file:
        wanted = _decoded(file.read(_LIMIT_BYTES), os.fspath(path))
    modules = {name: _module(name, os.fspath(path)) for name in wanted}
    before = {name: library(name).streams(module) for name, module in modules.items()}
    try:
        _apply(modules, wanted)
    except ValueError as error:
        _apply(modules, before)
        raise _damaged(os.fspath(path), str(error)) from None
    for name in wanted:
        seeding = seeding_of(name)
        remember(name, Seeding(seed=None, was_late=seeding.was_late if seeding else False))
    return tuple(wanted)


def _apply(modules: dict[str, ModuleType], states: dict[str, Streams]) -> None:
    for name, streams in states.items():
        library(name).restore(modules[name], streams)


def _decoded(data: bytes, where: str) -> dict[str, Streams]:
    try:
        document: States = parsed_as(data, States)
        states: dict[str, Streams] = {
            name: {
                stream: base64.b64decode(text, validate=True) for stream, text in streams.items()
            }
            for name, streams in document.states.items()
        }
    except ValueError as error:
        raise _damaged(where, f"is no saved state ({error})") from None
    if document.schema > SCHEMA:
        raise EnvstageError(
            f"is of schema {document.schema}, this envstage knows {SCHEMA}",
            where=where,
            fix="Upgrade envstage: pip install -U envstage",
        )
    unknown = sorted(set(states) - set(_WITH_STATES))
    if unknown:
        raise _damaged(where, f"names unknown libraries: {', '.join(unknown)}")
    return {name: states[name] for name in _WITH_STATES if name in states}


def _module(name: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(LIBRARIES[name])
    except ImportError:
        raise EnvstageError(
            f"holds the state of {name}, which is not installed",
            where=where,
            fix=f"Install {name}, or save the state anew without it",
        ) from None


def _damaged(where: str, what: str) -> EnvstageError:
    return EnvstageError(what, where=where, fix="Save it anew with `save_rng_state`")
