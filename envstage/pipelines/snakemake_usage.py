"""Which rules of a workflow depend on a view: one run speaks for the view only where it is alone.

The main process sees the rules, and the guard in a job does not: it reads what was written down
when the DAG was built.
"""

import os
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final

import msgspec

from envstage import layout
from envstage.snapshot.canonical import canonical, parsed_as
from envstage.snapshot.files import write

_FOLDER: Final = "users"
_LIMIT_BYTES: Final = 1024 * 1024


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that depend on a view.

    Attributes:
        rules: by name; empty where none can be read off.
        is_shared: several jobs may depend on it: several rules, or one with wildcards.
    """

    rules: tuple[str, ...]
    is_shared: bool


def users_of(rules: Any, view: str) -> Users:
    """Read the users of a view (its path) off a workflow's rules.

    An input function is asked for the texts in it: one that names the folder of the views may
    answer with any of them.
    """
    found = [rule for rule in rules if any(_is_meant(each, view) for each in rule.input)]
    return Users(
        rules=tuple(sorted(rule.name for rule in found)),
        is_shared=len(found) != 1 or bool(found[0].has_wildcards()),
    )


def write_down(state: str, folder: str, view: str, users: Users) -> None:
    """Keep the users of a view for the guard."""
    content = canonical({"is_shared": users.is_shared, "rules": list(users.rules)})
    write(_path(state, folder, view), content, is_durable=False)


def written_down(state: str, folder: str, view: str) -> Users:
    """The users of a view; shared by nobody knows whom where that was not written down."""
    try:
        with open(_path(state, folder, view), "rb") as file:
            users: Users = parsed_as(file.read(_LIMIT_BYTES), Users)
            return users
    except (OSError, ValueError):
        return Users(rules=(), is_shared=True)


def _path(state: str, folder: str, view: str) -> str:
    return os.path.join(state, _FOLDER, *folder.split("/"), f"{view}.json")


def _is_meant(item: Any, view: str) -> bool:
    function = _function_of(item)
    if function is None:
        match = getattr(item, "match", None)
        return bool(match(view)) if match is not None else str(item) == view
    code = getattr(function, "__code__", None)
    if code is None:
        return True  # a partial or an object: it may answer anything
    closure = [each.cell_contents for each in getattr(function, "__closure__", None) or ()]
    texts = [*_texts(code), *(each for each in closure if isinstance(each, str))]
    return any(f"{layout.VIEWS}/" in text or view in text for text in texts)


def _function_of(item: Any) -> Any:
    if callable(item):
        return item
    if getattr(item, "is_callable", lambda: False)():
        inner = getattr(item, "_file", None)
        return getattr(inner, "callable", None) or inner
    return None


def _texts(code: CodeType) -> Iterator[str]:
    for each in code.co_consts:
        if isinstance(each, str):
            yield each
        elif isinstance(each, CodeType):
            yield from _texts(each)
