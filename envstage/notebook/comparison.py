"""Compare two environment.json of training runs: the third function of the usage guide."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

import msgspec

from envstage.errors import EnvstageError
from envstage.facets.packages import TOOLING
from envstage.notebook.flat import OWN_KEY
from envstage.snapshot.canonical import parsed
from envstage.snapshot.document import damaged, decode
from envstage.snapshot.model import Snapshot
from envstage.snapshot.words import printable


class EnvironmentDifferences(TypedDict):
    """What `compare_environments` returns; lists are sorted by name."""

    added: list[tuple[str, str]]
    removed: list[tuple[str, str]]
    changed: list[tuple[str, str, str]]
    python_version_changed: bool
    cuda_version_changed: bool


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says, in either form. Packages: spelling and version by PEP 503 name."""

    packages: Mapping[str, tuple[str, str]]
    idle: frozenset[str] = frozenset()
    python: str | None = None
    cuda: str | None = None
    tells_cuda: bool = True


def compare_environments(
    env1_path: str | os.PathLike[str], env2_path: str | os.PathLike[str]
) -> EnvironmentDifferences:
    """Print and return what changed from the first environment to the second.

    Reads both forms of environment.json: the one that `save_environment_snapshot` writes, and the
    snapshot that `envstage capture` writes. Names count as pip compares them (`PyYAML` is
    `pyyaml`). envstage itself and installers, which change no result, are left out where the
    document tells that they are no more than that.

    Args:
        env1_path: the earlier environment.json.
        env2_path: the later one.

    Returns:
        `added` and `removed` as (package, version), `changed` as (package, old version, new
        version), `python_version_changed`, `cuda_version_changed`. A version of CUDA that only one
        document can tell counts as unchanged.

    Raises:
        FileNotFoundError: there is no such file.
        EnvstageError: a file is no environment.json, or damaged.
    """
    old, new = _read(env1_path), _read(env2_path)
    found = compared(old, new)
    _show(text_of(found, old, new))
    return found


def compared(old: Described, new: Described) -> EnvironmentDifferences:
    """The differences, as a value."""
    names = sorted(name for name in old.packages.keys() | new.packages.keys())
    counted = [name for name in names if not (_is_idle(old, name) and _is_idle(new, name))]
    return {
        "added": [new.packages[name] for name in counted if name not in old.packages],
        "removed": [old.packages[name] for name in counted if name not in new.packages],
        "changed": [
            (new.packages[name][0], old.packages[name][1], new.packages[name][1])
            for name in counted
            if name in old.packages
            and name in new.packages
            and old.packages[name][1] != new.packages[name][1]
        ],
        "python_version_changed": old.python != new.python,
        "cuda_version_changed": old.tells_cuda and new.tells_cuda and old.cuda != new.cuda,
    }


def text_of(found: EnvironmentDifferences, old: Described, new: Described) -> str:
    """The differences as people read them."""
    return "\n".join(_lines(found, old, new))


def described(data: bytes, where: str) -> Described:
    """Read a document of either form.

    Raises:
        EnvstageError: it is neither.
    """
    try:
        document = parsed(data)
    except ValueError:
        raise damaged(where, "is not JSON") from None
    if isinstance(document, dict) and "facts" in document and "schema" in document:
        return _of_snapshot(decode(data, where))
    if not isinstance(document, dict) or not isinstance(document.get("packages"), dict):
        raise EnvstageError(
            "is no environment.json: it has no packages",
            where=where,
            fix="Give a file that `save_environment_snapshot` or `envstage capture` wrote",
        )
    return _of_flat(document)


def _read(path: str | os.PathLike[str]) -> Described:
    with open(path, "rb") as file:
        return described(file.read(), os.fspath(path))


def _of_flat(document: Mapping[str, Any]) -> Described:
    own = document.get(OWN_KEY)
    tooling = own.get("tooling", ()) if isinstance(own, dict) else ()
    python = document.get("python_version_short") or document.get("python_version")
    return Described(
        packages={
            _canonical(str(name)): (str(name), str(version))
            for name, version in document["packages"].items()
        },
        idle=frozenset(_canonical(str(name)) for name in tooling),
        python=str(python).split()[0] if python else None,
        cuda=_optional(document.get("cuda_version")),
        tells_cuda="cuda_version" in document,
    )


def _of_snapshot(snapshot: Snapshot) -> Described:
    facts = snapshot.facts
    visible = ("hardware", "gpu", "visible")
    cuda = facts.get(("hardware", "cuda", "compiled", "torch"))
    return Described(
        packages={
            address[1]: (address[1], str(value))
            for address, value in facts.items()
            if address[0] == "packages"
            and address[2:] == ("version",)
            and isinstance(value, str)
            and address[1] not in TOOLING
        },
        idle=TOOLING,
        python=_optional(facts.get(("python", "version"))),
        cuda=_optional(cuda) if facts.get(visible) else None,
        # Below the level of the hardware nobody looked for a GPU.
        tells_cuda=visible in facts,
    )


def _is_idle(side: Described, name: str) -> bool:
    return name not in side.packages or name in side.idle


def _lines(found: EnvironmentDifferences, old: Described, new: Described) -> Iterator[str]:
    yield "🔍 Environment Differences:"
    yield ""
    yield f"  Python: {_shown(old.python)} → {_shown(new.python)}"
    yield f"  CUDA: {_cuda(old)} → {_cuda(new)}"
    if found["changed"]:
        yield ""
        yield f"  📦 Changed packages ({len(found['changed'])}):"
        for name, before, after in found["changed"]:
            yield f"    - {printable(name)}: {printable(before)} → {printable(after)}"
    for title, packages in (
        ("➕ Added packages", found["added"]),  # noqa: RUF001 - the guide's own output
        ("➖ Removed packages", found["removed"]),  # noqa: RUF001
    ):
        if packages:
            yield ""
            yield f"  {title}: {len(packages)}"
            yield from (f"    - {printable(name)}=={printable(v)}" for name, v in packages)
    if not any(found.values()):
        yield ""
        yield "  ✅ No differences"


def _cuda(side: Described) -> str:
    return _shown(side.cuda) if side.tells_cuda else "not recorded"


def _shown(value: str | None) -> str:
    return "none" if value is None else printable(value)


def _optional(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _canonical(name: str) -> str:
    """The name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _show(text: str) -> None:
    """Print where the guide's function prints; a console that lacks a character gets a `?`."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))  # noqa: T201 - the API's own output
