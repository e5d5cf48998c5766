"""The environment variables that change results: a default list, and those that are watched.

Only variables that are set are facts. No value holds an absolute path: search paths are described
by what they bring (`search_paths`), other paths are made relative to the project or replaced by a
digest. A secret is recorded as being set, with no value and no hash, and never counts.
"""

import fnmatch
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Final

from envstage.facets import numerics, search_paths
from envstage.facets.contract import Collected, FactRule, Request
from envstage.facets.readers import readers_of
from envstage.snapshot.model import Address, Level, Unknown, Value
from envstage.snapshot.secrets import SET, is_secret_name, is_secret_value
from envstage.world import World

NAME: Final = "variables"

FACTS: Final = (
    FactRule("variables.*", Level.SOFTWARE, "the value of a variable that changes results"),
    FactRule("secrets.*", None, "a watched variable that holds a secret: only that it is set"),
    FactRule("watched.*", None, "a variable that the configuration watches: it always counts"),
)

WATCHED_MARK: Final = "watched"
VALUE_LIMIT: Final = 4096
# An absolute path, also behind `=`, `:`, `-L` or `file://`; not the slashes of `a/b` and `//host`.
_PATH: Final = re.compile(
    r"(?:(?<![\w./\\$}~-])|(?<=\s-[A-Z]))"
    r"(?:file:(?://)?)?(?:~?/(?!/)|[A-Za-z]:[\\/]|\\\\)[^\s:;,'\"=]*"
)
_ONE_PATH: Final = re.compile(r"(?:~?/(?!/)|[A-Za-z]:[\\/])[^:;,='\"]*")
# Values that mean the same as none.
_DEFAULTS: Final = {"PYTHONHASHSEED": ("random",)}


def collect(world: World, request: Request) -> Collected:
    """The variables that are set, among the default list and those watched."""
    facts: dict[Address, Value] = {}
    for name in _names(world, request):
        value = world.environ.get(name)
        if value is None or any(fnmatch.fnmatchcase(name, never) for never in numerics.NEVER):
            continue
        # Of search paths, no value is stored that could be a secret.
        if _look(name) is None and (is_secret_name(name) or is_secret_value(value)):
            facts["secrets", name] = SET
            continue
        found = _described(world, request, name, value)
        if found != ():
            facts["variables", name] = found
            if readers_of(name) and _is_watched(request, name):
                facts[WATCHED_MARK, name] = True
    return Collected(facts=facts)


def _names(world: World, request: Request) -> Iterator[str]:
    """The default list and the watched names (`*` and `?` match among the variables set)."""
    names = {
        variable.name
        for table in (numerics.DEFAULTS, numerics.MODULE_PATHS, numerics.LIBRARY_PATHS)
        for variable in table
    }
    for pattern in request.watch:
        is_pattern = "*" in pattern or "?" in pattern
        names.update(fnmatch.filter(world.environ, pattern) if is_pattern else (pattern,))
    return iter(sorted(names))


def _described(world: World, request: Request, name: str, value: str) -> Value:
    """What is stored of a value; an empty tuple where setting it changes nothing."""
    look = _look(name)
    if look is not None:
        try:
            return look(world, request.root, value)
        except search_paths.TooMuch as error:
            return Unknown(f"an entry outside the project holds {error}")
    text = value.strip()
    if not _is_watched(request, name) and (not text or text in _DEFAULTS.get(name, ())):
        return ()
    if len(text) > VALUE_LIMIT or not _is_text(text):
        return _digest(text)
    return portable(world, request.root, text)


def _is_watched(request: Request, name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in request.watch)


def _look(name: str) -> Callable[[World, str, str], tuple[str, ...]] | None:
    if name in {variable.name for variable in numerics.MODULE_PATHS}:
        return search_paths.modules
    if name in {variable.name for variable in numerics.LIBRARY_PATHS}:
        return search_paths.libraries
    return None


def portable(world: World, root: str, text: str) -> str:
    """The text with every absolute path made relative to the project, or a digest of itself."""

    def replace(match: "re.Match[str]") -> str:
        path = re.sub(r"^file:(?://)?", "", match[0])
        inside = search_paths.inside(world, root, path)
        return inside if inside is not None else _digest(path)

    if _ONE_PATH.fullmatch(text):
        return _ONE_PATH.sub(replace, text)  # one path, spaces included
    return _PATH.sub(replace, text)


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _is_text(text: str) -> bool:
    """Whether the bytes of the variable were text: others cannot be written as JSON."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
