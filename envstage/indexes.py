"""The indexes that pip and uv are configured to use on this machine (case 31).

Installed files say nothing of `--extra-index-url` and `--find-links`. What is configured when an
environment is captured is the best hint at where its packages can be found again.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from envstage.snapshot.secrets import without_secrets
from envstage.world import World

_PIP_SECTIONS: Final = ("global", "install")


class Indexes(msgspec.Struct, frozen=True, kw_only=True):
    """Where packages are looked for, as it is written: with credentials, never to be stored.

    Attributes:
        default: replaces pypi.org.
        extra: looked at as well, in this order.
        find_links: folders and pages of archives.
        is_disabled: no index at all, only `find_links`.
    """

    default: str | None = None
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    is_disabled: bool = False

    def merged(self, other: "Indexes") -> "Indexes":
        """Both; what this one says comes first."""
        return Indexes(
            default=self.default or other.default,
            extra=_unique(self.extra + other.extra),
            find_links=_unique(self.find_links + other.find_links),
            is_disabled=self.is_disabled or other.is_disabled,
        )

    def scrubbed(self) -> "Indexes":
        """What may be written down: no credentials (case 3)."""
        return Indexes(
            default=without_secrets(self.default) if self.default else None,
            extra=tuple(filter(None, map(_safe, self.extra))),
            find_links=tuple(filter(None, map(_safe, self.find_links))),
            is_disabled=self.is_disabled,
        )


def configured(world: World, root: str) -> Indexes:
    """What pip's and uv's variables and files say; unreadable files say nothing.

    Args:
        root: the project's folder, which may have a uv.toml or `[tool.uv]`.
    """
    environ = world.environ
    found = _of_uv_variables(environ).merged(_of_pip_variables(environ))
    for path in _uv_files(environ, root):
        found = found.merged(_of_uv(_toml(world, path), os.path.basename(path), path))
    for path in _pip_files(environ):
        found = found.merged(_of_pip(world, path))
    return found


def _of_pip_variables(environ: Mapping[str, str]) -> Indexes:
    return _pip_values(
        {
            "index-url": environ.get("PIP_INDEX_URL", ""),
            "extra-index-url": environ.get("PIP_EXTRA_INDEX_URL", ""),
            "find-links": environ.get("PIP_FIND_LINKS", ""),
            "no-index": environ.get("PIP_NO_INDEX", ""),
        }
    )


def _of_uv_variables(environ: Mapping[str, str]) -> Indexes:
    extra = environ.get("UV_INDEX", "") + " " + environ.get("UV_EXTRA_INDEX_URL", "")
    links = re.split(r"[,\s]+", environ.get("UV_FIND_LINKS", ""))
    return Indexes(
        default=environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or None,
        # An index may have a name: `corp=https://…`.
        extra=tuple(re.sub(r"^[\w-]+=(?=\w+://)", "", each) for each in extra.split()),
        find_links=tuple(filter(None, links)),
        is_disabled=_is_true(environ.get("UV_NO_INDEX", "")),
    )


def _pip_files(environ: Mapping[str, str]) -> Iterator[str]:
    """pip's files, the one that wins first (https://pip.pypa.io/en/stable/topics/configuration/)."""
    own = environ.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return
    home = environ.get("HOME", "")
    config = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    active = environ.get("VIRTUAL_ENV") or environ.get("CONDA_PREFIX") or ""
    candidates = (
        own,
        os.path.join(active, "pip.conf") if active else "",
        os.path.join(config, "pip", "pip.conf") if config else "",
        os.path.join(home, ".pip", "pip.conf") if home else "",
        "/etc/pip.conf",
        "/etc/xdg/pip/pip.conf",
    )
    yield from filter(None, candidates)


def _uv_files(environ: Mapping[str, str], root: str) -> Iterator[str]:
    if environ.get("UV_NO_CONFIG"):
        return
    home = environ.get("HOME", "")
    config = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    own = environ.get("UV_CONFIG_FILE", "")
    if own:
        yield own
        return
    yield os.path.join(root, "uv.toml")
    yield os.path.join(root, "pyproject.toml")
    if config:
        yield os.path.join(config, "uv", "uv.toml")
    yield "/etc/uv/uv.toml"


def _of_pip(world: World, path: str) -> Indexes:
    try:
        text = world.read(path).decode("utf-8", "replace")
    except OSError:
        return Indexes()
    import configparser  # on the capture path, and most machines have no such file

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return Indexes()
    values: dict[str, str] = {}
    for section in _PIP_SECTIONS:
        if parser.has_section(section):
            values |= {key.replace("_", "-"): text for key, text in parser.items(section)}
    return _pip_values(values)


def _pip_values(values: Mapping[str, str]) -> Indexes:
    return Indexes(
        default=values.get("index-url", "").strip() or None,
        extra=tuple(values.get("extra-index-url", "").split()),
        find_links=tuple(values.get("find-links", "").split()),
        is_disabled=_is_true(values.get("no-index", "")),
    )


def _toml(world: World, path: str) -> Mapping[str, Any]:
    try:
        data = world.read(path)
    except OSError:
        return {}
    if path.endswith("pyproject.toml") and b"tool.uv" not in data:
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: dict[str, Any] = tomllib.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return document


def _of_uv(document: Mapping[str, Any], name: str, path: str) -> Indexes:
    table = document
    if name == "pyproject.toml":
        table = _table(_table(document, "tool"), "uv")
    found = _uv_values(table, path)
    return found.merged(_uv_values(_table(table, "pip"), path))


def _uv_values(table: Mapping[str, Any], path: str) -> Indexes:
    default = str(table.get("index-url") or "") or None
    extra: list[str] = []
    for each in _list(table, "index"):
        url = str(each.get("url") or "") if isinstance(each, dict) else ""
        if url and each.get("default"):
            default = url
        elif url:
            extra.append(url)
    extra += [str(each) for each in _list(table, "extra-index-url")]
    folder = os.path.dirname(path)
    links = [_placed(str(each), folder) for each in _list(table, "find-links")]
    return Indexes(
        default=default,
        extra=tuple(extra),
        find_links=tuple(links),
        is_disabled=table.get("no-index") is True,
    )


def _placed(text: str, folder: str) -> str:
    return text if "://" in text else os.path.join(folder, text)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("1", "true", "yes", "on", "y", "t")


def _safe(place: str) -> str:
    return place if place.startswith(("/", ".")) else without_secrets(place)


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
