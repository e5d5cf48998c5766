"""Facts that only the view of an observed run asks for: what a name means to this interpreter.

A run depends on what it imported, and also on what it looked for in vain: pandas picks up
bottleneck just because it is there (case 32). And it depends on *which* file a name means: a
`yaml.py` on PYTHONPATH shadows PyYAML (case 35).
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from envstage.facets.contract import Collected, FactRule, Installed, ProbeAnswer, Request
from envstage.facets.import_path import ImportPath, is_module_file
from envstage.facets.packages import OURSELVES
from envstage.facets.tools import sha256
from envstage.snapshot.model import Level, Unknown, Value
from envstage.world import World

NAME: Final = "imports"
FACTS: Final = (
    FactRule(
        "modules.*",
        Level.SOFTWARE,
        "what a name means that a run looked up: absent, a package, or a loose module's digest",
    ),
    FactRule("entry_points.*", Level.SOFTWARE, "the content of a group that a run queried"),
    FactRule(
        "providers.*",
        Level.SOFTWARE,
        "the packages that provide a module of which a run asked that; `*` for every module",
    ),
    FactRule("files.*", Level.SOFTWARE, "digest of a module that a run loaded from elsewhere"),
    FactRule("uses.gpu", Level.SOFTWARE, "whether a run used a GPU, or may have unseen"),
    FactRule("uses.programs", Level.SOFTWARE, "whether a run started programs beside Python"),
)
STANDARD_LIBRARY: Final = "the standard library"
NAMESPACE: Final = "a namespace package"
# For the environment's folder in the label of a file.
ENVIRONMENT_MARK: Final = "$ENVIRONMENT"
_SECTION: Final = re.compile(r"(?m)^\[([^\]\n]+)\][^\S\n]*$")


def collect(world: World, request: Request) -> Collected:
    """Nothing by itself: these facts are asked for one by one, through `Names`."""
    del world, request
    return Collected(facts={})


class Names:
    """What names mean to an interpreter, told from its import path without importing anything."""

    def __init__(self, world: World, root: str, probe: ProbeAnswer) -> None:
        self._world = world
        self._probe = probe
        self._path = ImportPath(world, root, probe)
        self._by_place: dict[tuple[str, str], list[Installed]] = {}
        for installed in probe.distributions:
            for top in installed.tops:
                self._by_place.setdefault((installed.location, top), []).append(installed)
        self._by_name = {installed.name: installed for installed in probe.distributions}

    def meaning(self, name: str) -> Value:
        """What a dotted name means: absent, a package, the standard library, a loose module.

        The project's own code is no part of the environment: it means nothing here.
        """
        found = self._path.find(name)
        if found is None:
            return None
        entry, path = found
        top = name.partition(".")[0]
        owners = self.owners(entry, top)
        if owners:
            return "package " + ", ".join(sorted(each.name for each in owners))
        if self._path.is_standard(entry):
            return STANDARD_LIBRARY
        return NAMESPACE if path is None else self._loose(path)

    def _loose(self, path: str) -> str | Unknown:
        """The digest of a loose module; of a package with the names of what can be imported of it.

        No build digest says what is in such a package, and a run may look in it for what is not
        there: `try: import lib.fast`.
        """
        digest = self.digest(path)
        if isinstance(digest, Unknown) or not os.path.basename(path).startswith("__init__."):
            return digest
        folder = os.path.dirname(path)
        inner = sorted(
            name for name in self._path.names(folder) if self._is_importable(folder, name)
        )
        return "sha256:" + hashlib.sha256("\n".join([digest, *inner]).encode()).hexdigest()

    def _is_importable(self, folder: str, name: str) -> bool:
        if is_module_file(name):
            return True
        is_cache = name == "__pycache__"
        return name.isidentifier() and not is_cache and bool(self._path.names(f"{folder}/{name}"))

    def shadows(self, packages: Iterable[str]) -> dict[str, Value]:
        """Names that do not mean what the given packages provide, and what they do mean.

        Modules that stand before the standard library and have one of its names are named too.
        """
        found: dict[str, Value] = {}
        for name in packages:
            installed = self._by_name.get(name)
            for top in installed.tops if installed else ():
                if self._is_shadowed(installed, top):
                    found[top] = self.meaning(top)
        for entry in self._path.before_standard_library():
            for name in sorted(self._path.modules(entry) & sys.stdlib_module_names):
                found[name] = self.meaning(name)
        return found

    def _is_shadowed(self, installed: Installed | None, top: str) -> bool:
        place = self._path.find(top)
        if place is None or installed is None or place[0] == installed.location:
            return False
        return installed not in self.owners(place[0], top)

    def provides(self, packages: Iterable[str], modules: Iterable[str]) -> bool:
        """Whether one of these packages brings one of these names to import."""
        wanted = frozenset(modules)
        return any(
            name in wanted or (name in self._by_name and wanted & {*self._by_name[name].tops})
            for name in packages
        )

    def file(self, label: str) -> Value:
        """The digest of a file by its label; absent where there is none."""
        path = self._place(label)
        if not self._world.exists(path):
            return None
        # Installers write the interpreter's path into scripts.
        return sha256(self._world, path) if self._is_script(path) else self.digest(path)

    def label(self, path: str) -> str:
        """How a file from outside the import path is named: not by this user's own folders."""
        for mark, folder in self._places():
            if path.startswith(folder + os.sep):
                return mark + path[len(folder) :].replace(os.sep, "/")
        return path

    def _is_script(self, path: str) -> bool:
        folder, name = os.path.split(os.path.dirname(path))
        return name in ("bin", "Scripts") and self._is_prefix(folder)

    def _is_prefix(self, folder: str) -> bool:
        return self._path.real_path(folder) == self._path.real_path(self._probe.prefix)

    def _place(self, label: str) -> str:
        for mark, folder in self._places():
            if label.startswith(mark + "/"):
                return folder + label[len(mark) :]
        return label

    def _places(self) -> Iterator[tuple[str, str]]:
        yield ENVIRONMENT_MARK, self._probe.prefix
        home = self._world.environ.get("HOME", "").rstrip(os.sep)
        if home:
            yield "~", home

    def owners(self, entry: str, top: str) -> tuple[Installed, ...]:
        """The distributions that have files under a top name of a folder of the import path."""
        return tuple(self._by_place.get((entry, top), ()))

    def entry_of(self, path: str) -> str | None:
        """See `ImportPath.entry_of`."""
        return self._path.entry_of(path)

    def is_code(self, path: str) -> bool:
        """See `ImportPath.is_code`."""
        return self._path.is_code(path)

    def digest(self, path: str) -> str | Unknown:
        """The digest of one file's content."""
        try:
            return "sha256:" + hashlib.sha256(self._world.read(path)).hexdigest()
        except OSError as error:
            return Unknown(f"cannot be read: {error.strerror}")

    def entry_points(self, group: str) -> Value:
        """The content of an entry-point group over all distributions; `*` for all groups.

        Lines `name = value (package)`, sorted; absent if nobody is in it.
        """
        lines = sorted(
            f"{line} ({installed.name})"
            for installed in self._probe.distributions
            if installed.name != OURSELVES and installed.entry_points
            for name, line in _entries(installed.entry_points)
            if group in ("*", name)
        )
        if group == "*" and lines:
            return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return tuple(lines) or None

    def providers(self, module: str) -> Value:
        """The packages that have a module of this name at the top; `*`: all, by module.

        Names, no versions: `packages_distributions` tells none.
        """
        lines = sorted(
            installed.name if module != "*" else f"{top} ({installed.name})"
            for installed in self._probe.distributions
            if installed.name != OURSELVES
            for top in self._declared(installed)
            if module in ("*", top)
        )
        if module == "*" and lines:
            return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return tuple(lines) or None

    def _declared(self, installed: Installed) -> frozenset[str]:
        # What an editable install provides is not among its files.
        if installed.direct_url is None or '"editable"' not in installed.direct_url:
            return frozenset(installed.tops)
        try:
            text = self._world.read(os.path.join(installed.metadata_path, "top_level.txt"))
        except OSError:
            return frozenset(installed.tops)
        return frozenset((*installed.tops, *text.decode("utf-8", "replace").split()))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """The entries of an entry_points.txt: group, `name = value` with white space folded."""
    parts = _SECTION.split(text)
    for group, body in zip(parts[1::2], parts[2::2], strict=True):
        for line in body.splitlines():
            line = line.partition("#")[0].strip()
            if line:
                name, _, value = line.partition("=")
                yield group.strip(), f"{name.strip()} = {value.strip()}"
