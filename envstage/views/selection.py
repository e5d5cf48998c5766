"""Which facts a view takes: wide (every package), or exactly what a run was seen to use."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from envstage.snapshot.model import Address, Level, covered
from envstage.views.document import OBSERVED, ViewDocument

GPU: Final = (("hardware", "gpu"), ("hardware", "cuda"))
# In the view itself, so that it alone tells its selection, whatever its level and `exclude`.
USES_GPU: Final = ("uses", "gpu")
USES_PROGRAMS: Final = ("uses", "programs")
_OF_PYTHON: Final = ("python", "packages", "modules", "entry_points", "files")


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What a run used, by name. A fact that is not there is selected all the same: as absent.

    Attributes:
        packages: distributions imported, or asked for, installed or not (PEP 503 names).
        metadata: those of which the metadata was read.
        modules: names looked up and not found, found and not loaded, or loose modules.
        entry_points: groups queried; `*` for all.
        providers: modules of which it was asked who provides them; `*` for all.
        files: modules loaded from outside the import path and the repository.
        uses_python: whether any Python process took part.
        uses_gpu: whether a process had a GPU library mapped or a device open, or a program
            that nobody can look into may have.
        uses_programs: whether programs other than Python were started: what these read or use
            nobody sees.
    """

    packages: frozenset[str] = frozenset()
    metadata: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    entry_points: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    uses_python: bool = True
    uses_gpu: bool = False
    uses_programs: bool = False

    def union(self, other: "Selection") -> "Selection":
        """What either used."""
        return Selection(
            packages=self.packages | other.packages,
            metadata=self.metadata | other.metadata,
            modules=self.modules | other.modules,
            entry_points=self.entry_points | other.entry_points,
            providers=self.providers | other.providers,
            files=self.files | other.files,
            uses_python=self.uses_python or other.uses_python,
            uses_gpu=self.uses_gpu or other.uses_gpu,
            uses_programs=self.uses_programs or other.uses_programs,
        )


def selection_of(view: ViewDocument, include: Sequence[str] = ()) -> Selection | None:
    """The selection that a finalised view was made by; None for a wide one.

    Args:
        include: what the view's configuration adds by name: that such a fact is there says
            nothing about what the run used.
    """
    if view.selection != OBSERVED:
        return None
    addresses = view.facts.keys()
    used = [each for each in addresses if _is_evidence(each, view.level, include)]
    uses_python = any(each[0] in _OF_PYTHON and not covered(include, each) for each in addresses)
    return Selection(
        packages=_names(used, "packages"),
        metadata=frozenset(each[1] for each in addresses if each[2:] == ("metadata",)),
        modules=_names(addresses, "modules"),
        entry_points=_names(addresses, "entry_points"),
        providers=_names(addresses, "providers"),
        files=_names(addresses, "files"),
        uses_python=uses_python,
        uses_gpu=USES_GPU in addresses or any(each[:2] in GPU for each in used),
        uses_programs=USES_PROGRAMS in addresses or not uses_python,
    )


def _is_evidence(address: Address, level: Level, include: Sequence[str]) -> bool:
    """Whether that a fact is in a view says that the run used what it is about."""
    if not covered(include, address):
        return True
    if address[0] != "packages":
        return False
    # Below the platform a version is all that there is of a package; and of one that is included
    # whole, to take it as used adds no fact, but asks what shadows it.
    return level < Level.PLATFORM or covered(include, address[:2])


def _names(addresses: Iterable[Address], group: str) -> frozenset[str]:
    return frozenset(each[1] for each in addresses if each[0] == group)
