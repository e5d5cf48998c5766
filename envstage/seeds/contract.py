"""What the module of one library gives, and which libraries there are.

`module` is always the imported library itself: these modules import none.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Final, Protocol, TypeAlias, cast

Streams: TypeAlias = Mapping[str, bytes]
"""The states of a library's global generators by name: `cpu`, `cuda:0`."""

# Name → the module that a program imports.
LIBRARIES: Final[Mapping[str, str]] = {
    "python": "random",
    "numpy": "numpy",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "jax": "jax",
}


class Library(Protocol):
    """The shape of a library's module."""

    def seed(self, module: ModuleType, seed: int) -> None:
        """Seed every global generator, on every device."""

    def make_deterministic(self, module: ModuleType) -> tuple[str, ...]:
        """Choose deterministic operations; says what could not be chosen any more."""

    def has_drawn(self, module: ModuleType) -> bool:
        """Whether numbers have been drawn since the library was imported or last seeded.

        Where that cannot be told: no.
        """

    def streams(self, module: ModuleType) -> Streams:
        """The states of the generators that exist; starts no device."""

    def fresh(self, module: ModuleType, seed: int) -> Streams:
        """The states that generators have right after seeding, those that can be computed."""

    def restore(self, module: ModuleType, streams: Streams) -> None:
        """Put the generators into these states.

        Raises:
            ValueError: a state is damaged, or its generator is not there.
        """


def library(name: str) -> Library:
    """The module of one library."""
    return cast(Library, importlib.import_module(f"envstage.seeds.libraries.{name}"))


def draws_at_import() -> bool:
    """Whether a library was imported that draws from Python's and NumPy's generators by that.

    TensorFlow and Keras do: then a generator that has moved says nothing about the program.
    """
    return any(name in sys.modules for name in ("tensorflow", "keras"))


def imported() -> Iterator[tuple[str, ModuleType]]:
    """The libraries that the program has imported."""
    for name, module_name in LIBRARIES.items():
        if name == "python":
            yield name, importlib.import_module(module_name)
            continue
        module = sys.modules.get(module_name)
        # While a library is still being imported it has no generators yet.
        spec = getattr(module, "__spec__", None)
        if module is not None and not getattr(spec, "_initializing", False):
            yield name, module
