"""The distributions of an interpreter: `importlib.metadata`'s set and precedence, told faster.

The first folder of `sys.path` that holds a distribution wins. Where one folder holds two under
the same name (an interrupted upgrade leaves that behind), `importlib.metadata` answers by the
order of the directory; here the one whose files are really there wins, and it is recorded.
"""

from __future__ import annotations

import os
import re
import time

from .cache import Cache
from .metadata import Described, clean, describe, zipped
from .record import matching_share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

_SUFFIXES = (".dist-info", ".egg-info")
_LEFT = "left behind by an interrupted pip: "
_JUDGED = "; its files are those of "
_AT_WORK_NS = 60 * 10**9


def installed(paths: list[str], cache_folder: str, anomalies: list[str]) -> list[dict[str, Any]]:
    """The distributions found on `paths`, sorted by name; `anomalies` is added to.

    Each is a dict with the fields of `envstage.facets.contract.Installed`.
    """
    winners: dict[str, Described] = {}
    for folder in _unique(paths):
        own: dict[str, list[Described]] = {}
        for candidate in _in_folder(folder, cache_folder, anomalies):
            own.setdefault(normalized(candidate.name), []).append(candidate)
        for name, candidates in own.items():
            if name not in winners:
                winners[name] = _importable(name, candidates, anomalies)
    return [winners[name].fields(name) for name in sorted(winners)]


def is_replacing(paths: list[str], anomalies: list[str]) -> bool:
    """Whether a pip may be at work that has put a package away, and not yet its successor there.

    It renames what it replaces (`~umpy-2.0.dist-info`), and removes that at the end. One that was
    interrupted leaves it: then it is old.
    """
    left = [text[len(_LEFT) :] for text in anomalies if text.startswith(_LEFT)]
    return any(_is_young(folder + os.sep + name) for folder in paths for name in left)


def is_judged_by_files(anomalies: list[str]) -> bool:
    """Whether the sizes of installed files decided which of two records is true."""
    return any(_JUDGED in text for text in anomalies)


def _is_young(path: str) -> bool:
    try:
        stat = os.stat(path)
    except OSError:
        return False
    return abs(time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns)) < _AT_WORK_NS


def normalized(name: str) -> str:
    """The name's key, by PEP 503: `Foo_Bar.baz` is `foo-bar-baz`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _unique(paths: list[str]) -> Iterator[str]:
    seen = set()
    for path in paths:
        # The empty entry is the working directory: code, not environment.
        if path:
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path


def _in_folder(folder: str, cache_folder: str, anomalies: list[str]) -> Iterator[Described]:
    try:
        names = sorted(os.listdir(folder))
    except NotADirectoryError:
        yield from zipped(folder)
        return
    except FileNotFoundError:
        return
    except OSError as error:
        anomalies.append(
            "a folder of the import path cannot be listed: %s (%s)"
            % (clean(os.path.basename(folder)), error.strerror)
        )
        return
    infos = [name for name in names if name.lower().endswith(_SUFFIXES)]
    if folder.lower().endswith(".egg") and "EGG-INFO" in names:
        infos.append("EGG-INFO")
    if not infos:
        return
    cache = Cache(cache_folder, folder)
    for name in infos:
        if name.startswith("~"):
            anomalies.append(_LEFT + clean(name))
            continue
        described = describe(folder, name, cache, anomalies)
        if described is not None:
            yield described
    cache.save()


def _importable(name: str, candidates: list[Described], anomalies: list[str]) -> Described:
    if len(candidates) == 1:
        return candidates[0]
    ranked = sorted(
        candidates, key=lambda found: (matching_share(found.metadata_path), found.metadata_path)
    )
    best = ranked[-1]
    anomalies.append(
        "%s is recorded %d times in one folder (%s)%s%s"
        % (
            name,
            len(candidates),
            ", ".join(sorted(str(found.version) for found in candidates)),
            _JUDGED,
            best.version,
        )
    )
    return best
