"""From what was observed to what was used: files become distributions, names become facts."""

import os
import re
import sys
from collections.abc import Collection, Iterator
from typing import Final

from envstage.facets.contract import Installed, ProbeAnswer
from envstage.facets.imports import Names
from envstage.observer.observation import Observation
from envstage.runs.loaded_files import Programs, archive_of, is_derived
from envstage.views.selection import Selection

# Programs that tell something of the machine or of the code, or move files. Libraries start some
# unasked: `platform` runs uname, `ctypes.util` the linker, joblib lscpu, matplotlib fc-list.
_LOOKING: Final = frozenset(
    "uname lscpu nproc getconf sysctl sw_vers system_profiler lsb_release hostname whoami id "
    "locale tput stty which file free df git ldconfig gcc cc ld objdump fc-list mkdir rm cp mv ln "
    "touch tee cat echo ls date sleep".split()
)


def observed_selection(
    observation: Observation,
    probe: ProbeAnswer,
    names: Names,
    tools: Collection[str] = (),
) -> Selection:
    """What an observation says that a run used.

    Args:
        observation: of a run that is complete (`doubts` is empty).
        probe: of the interpreter that the run used.
        tools: the programs that the configuration declares: these act, whatever their name.
    """
    if not observation.processes:
        return without_python()
    reader = _Reader(probe, names, observation.began_s)
    for path in observation.files:
        reader.add_file(path)
    for name, origin in observation.found:
        reader.add_found(name, origin)
    for path in observation.listings:
        reader.add_listing(path)
    for name in observation.missing:
        if name.partition(".")[0] not in sys.stdlib_module_names:
            reader.modules.add(name)
    by_path = {each.metadata_path: each.name for each in probe.distributions}
    read = {by_path[path] for path in observation.metadata if path in by_path}
    uses_programs = any(name in tools or name not in _LOOKING for name in observation.programs)
    asked = {re.sub(r"[-_.]+", "-", name).lower() for name in observation.distributions}
    return Selection(
        packages=frozenset(reader.packages | read | asked),
        metadata=frozenset(read),
        modules=frozenset(reader.modules),
        entry_points=frozenset(observation.entry_point_groups),
        providers=frozenset({"*"} if "*" in observation.providers else observation.providers),
        files=frozenset(reader.files),
        uses_gpu=observation.uses_gpu or uses_programs,
        uses_programs=uses_programs,
    )


def without_python() -> Selection:
    """What a run used that started no Python: nobody can look into other programs."""
    return Selection(uses_python=False, uses_gpu=True, uses_programs=True)


class _Reader:
    """Attributes files to distributions by the installed files, never by name (case 35)."""

    def __init__(self, probe: ProbeAnswer, names: Names, began_s: float) -> None:
        self.packages: set[str] = set()
        self.modules: set[str] = set()
        self.files: set[str] = set()
        self._names = names
        self._began_s = began_s
        self._programs = Programs(probe)
        self._owners = Owners(probe, names)

    def add_file(self, path: str) -> None:
        """A module was loaded from this file."""
        if self._names.is_code(path):
            return
        if self._is_of_checkout(path):
            return
        entry = self._names.entry_of(path)
        if entry is None:
            self._add_outside(path)
            return
        if os.path.isfile(entry):  # a zip file on the import path, whole
            self.files.add(self._names.label(entry))
            return
        relative = os.path.relpath(path, entry).replace(os.sep, "/")
        owner = self._owners.in_entry(entry, relative)
        if owner is not None:
            self.packages.add(owner)
        else:
            self.modules.add(_dotted(relative))

    def _add_outside(self, path: str) -> None:
        """Code from outside the import path and the repository."""
        owners = self._programs.owners(path)
        self.packages.update(owners)
        if not owners and not is_derived(path, self._began_s):
            self.files.add(self._names.label(archive_of(path)))

    def add_found(self, name: str, origin: str) -> None:
        """A name was looked up and found; what is loaded of it is among the files as well."""
        if not origin or self._names.is_code(origin) or self._is_of_checkout(origin):
            return
        entry = self._names.entry_of(origin)
        if entry is None:
            self.add_file(origin)
            return
        relative = os.path.relpath(origin, entry).replace(os.sep, "/")
        owner = self._owners.in_entry(entry, relative)
        if owner is not None:
            self.packages.add(owner)
        else:
            self.modules.add(name)

    def add_listing(self, path: str) -> None:
        """A namespace package was searched for modules: who has some in it is a fact."""
        entry = self._names.entry_of(path)
        if entry is not None:
            self.modules.add(os.path.relpath(path, entry).replace(os.sep, "."))

    def _is_of_checkout(self, path: str) -> bool:
        name = self._owners.of_checkout(path)
        if name is not None:
            self.packages.add(name)
        return name is not None


class Owners:
    """Which distribution a file belongs to, by the installed files."""

    def __init__(self, probe: ProbeAnswer, names: Names) -> None:
        self._names = names
        self._recorded: dict[str, frozenset[str]] = {}
        self._checkouts = {
            path + os.sep: each.name for each in probe.distributions for path in _checkout(each)
        }
        infos = [each for each in probe.distributions if each.metadata_path.endswith(".dist-info")]
        folders = {probe.prefix, probe.base_prefix, *(each.location for each in infos)}
        self._environments = tuple(folder + os.sep for folder in folders if folder)

    def owner(self, path: str) -> str | None:
        """The distribution of a file; None for code, the standard library and loose modules."""
        checkout = self.of_checkout(path)
        if checkout is not None:
            return checkout
        entry = self._names.entry_of(path)
        if entry is None or self._names.is_code(path):
            return None
        return self.in_entry(entry, os.path.relpath(path, entry).replace(os.sep, "/"))

    def of_checkout(self, path: str) -> str | None:
        """The editable install whose checkout holds a file."""
        for checkout, name in self._checkouts.items():
            if path.startswith(checkout) and not self._is_of_environment(path, checkout):
                return name
        return None

    def _is_of_environment(self, path: str, checkout: str) -> bool:
        """Whether a file lies in an environment that was made inside a checkout (`.venv`)."""
        return any(
            folder.startswith(checkout) and path.startswith(folder) for folder in self._environments
        )

    def in_entry(self, entry: str, relative: str) -> str | None:
        """The distribution of a file by its path below a folder of the import path."""
        owners = self._names.owners(entry, relative.partition("/")[0].partition(".")[0])
        if len(owners) == 1:
            return owners[0].name
        for each in owners:
            if relative in self._files_of(each):
                return each.name
        return None

    def _files_of(self, installed: Installed) -> frozenset[str]:
        # Only where several distributions share a top name: namespace packages.
        if installed.name not in self._recorded:
            try:
                with open(os.path.join(installed.metadata_path, "RECORD"), "rb") as file:
                    text = file.read().decode("utf-8", "replace")
            except OSError:
                text = ""
            self._recorded[installed.name] = frozenset(
                line.rsplit(",", 2)[0].strip('"') for line in text.splitlines()
            )
        return self._recorded[installed.name]


def _checkout(installed: Installed) -> Iterator[str]:
    """The folder of an editable install."""
    if installed.direct_url and '"editable"' in installed.direct_url:
        match = re.search(r'"url"\s*:\s*"file://([^"]+)"', installed.direct_url)
        if match:
            from urllib.parse import unquote

            yield unquote(match[1]).rstrip("/")
    elif installed.metadata_path.endswith(".egg-info") and "site-packages" not in (
        installed.location
    ):
        yield installed.location


def _dotted(relative: str) -> str:
    """The name of a loose module by its path below a folder of the import path."""
    parts = relative.split("/")
    parts[-1] = parts[-1].partition(".")[0]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)
