"""Where the import system of an interpreter finds a name, told without importing anything."""

import os
import re
import sys
from collections.abc import Iterator

from envstage.facets.contract import ProbeAnswer
from envstage.world import World


class ImportPath:
    """The folders that an interpreter imports from, in order, and what stands in them."""

    def __init__(self, world: World, root: str, probe: ProbeAnswer) -> None:
        self._world = world
        self._real: dict[str, str] = {}
        self._root = self.real_path(root)
        self._probe = probe
        self._listed: dict[str, frozenset[str]] = {}
        self._sites = frozenset(installed.location for installed in probe.distributions)

    def entry_of(self, path: str) -> str | None:
        """The folder of the import path that a file lies in: the innermost one."""
        holding = [entry for entry in self._probe.path if path.startswith(entry + os.sep)]
        return max(holding, key=len, default=None)

    def is_code(self, path: str) -> bool:
        """Whether a file is the project's own code, and not of an environment kept inside it."""
        entry = self.entry_of(path)
        if entry is not None and (entry in self._sites or self.is_standard(entry)):
            return False
        if path.startswith(self._probe.prefix + os.sep):
            return False
        return self.real_path(path).startswith(self._root + os.sep)

    def real_path(self, path: str) -> str:
        """Where links lead to: they may lead elsewhere the next time."""
        if path not in self._real:
            try:
                self._real[path] = self._world.real_path(path)
            except OSError:
                self._real[path] = path
        return self._real[path]

    def find(self, name: str) -> tuple[str, str | None] | None:
        """The folder of the import path and the file that a name means; no file: a namespace."""
        parts = name.split(".")
        namespace: tuple[str, str | None] | None = None
        for entry in self._probe.path:
            folder = os.path.join(entry, *parts[:-1])
            names = self.names(folder)
            if not names:
                continue
            file = self._file(folder, parts[-1], names)
            if file is not None:
                if self.is_code(file):
                    continue
                return entry, file
            if parts[-1] in names and namespace is None and self._is_namespace(folder, parts[-1]):
                namespace = (entry, None)
        return namespace

    def _file(self, folder: str, name: str, names: frozenset[str]) -> str | None:
        if name in names:
            inner = os.path.join(folder, name)
            for file in self.names(inner):
                if file == "__init__.py" or (file.startswith("__init__.") and is_module_file(file)):
                    return os.path.join(inner, file)
        for file in sorted(names):
            if file.startswith(name + ".") and is_module_file(file):
                return os.path.join(folder, file)
        return None

    def _is_namespace(self, folder: str, name: str) -> bool:
        path = os.path.join(folder, name)
        if self.is_code(os.path.join(path, "x")) or self.is_standard(folder):
            return False
        return bool(self.names(path) - {"__pycache__"})

    def names(self, folder: str) -> frozenset[str]:
        """What a folder holds; nothing where it cannot be listed."""
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(self._world.list_dir(folder))
            except OSError:
                self._listed[folder] = frozenset()
        return self._listed[folder]

    def modules(self, entry: str) -> frozenset[str]:
        """What a folder has to import: files, and packages with names of the standard library."""
        names = self.names(entry)
        return frozenset(name.partition(".")[0] for name in names if is_module_file(name)) | (
            frozenset(
                name
                for name in names & sys.stdlib_module_names
                if self._file(entry, name, names) is not None
            )
        )

    def is_standard(self, entry: str) -> bool:
        """Whether a folder is the interpreter's own library."""
        base = self.real_path(self._probe.base_prefix)
        real = self.real_path(entry)
        return (
            entry not in self._sites
            and real.startswith(base + os.sep)
            and not re.search(r"(site|dist)-packages", real)
        )

    def before_standard_library(self) -> Iterator[str]:
        """The folders that can hide a module of the standard library, without the project's own."""
        for entry in self._probe.path:
            if self.is_standard(entry):
                return
            if not self.is_code(os.path.join(entry, "x")):
                yield entry


def is_module_file(name: str) -> bool:
    """Whether the import system would take a file of this name for a module."""
    stem, _, suffix = name.partition(".")
    return bool(stem) and (
        suffix == "py"
        or suffix in ("so", "pyd", "pyc", "abi3.so")
        or bool(re.fullmatch(r"(cpython|pypy|cp)[\w.-]*\.(so|pyd)", suffix))
    )
