"""A command line as it may be written down: with what could be a secret removed."""

import re
from collections.abc import Sequence
from typing import Final

from envstage.snapshot.secrets import (
    REMOVED,
    is_secret_name,
    is_secret_value,
    without_secret_words,
    without_secrets,
)

# `--api-key x`, `--api-key=x`, `-p x` has no name that tells; `API_KEY=x`.
_OPTION: Final = re.compile(
    r"(?P<name>--?[A-Za-z][\w.-]*)(?P<between>=|\s+)(?P<value>'[^']*'|\"[^\"]*\"|\S+)"
)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def redacted(argv: Sequence[str]) -> tuple[str, ...]:
    """The words of a command; those that follow the name of a secret are removed (case 20)."""
    words: list[str] = []
    is_value = False
    for word in argv:
        words.append(REMOVED if is_value else _word(word))
        name = word.lstrip("-")
        is_value = word.startswith("-") and "=" not in word and " " not in word
        is_value = is_value and bool(name) and is_secret_name(name)
    return tuple(words)


def _word(text: str) -> str:
    """One word; the text of a shell is one as well."""
    if re.search(r"\s", text):
        text = _OPTION.sub(_option, text)
        return " ".join(_word(part) for part in text.split(" ")) if " " in text else text
    if "://" in text:
        text = _URL.sub(lambda match: without_secrets(match[0]), text)
    name, equals, _ = text.partition("=")
    if equals and is_secret_name(name.lstrip("-")):
        return f"{name}={REMOVED}"
    return without_secret_words(text) if is_secret_value(text) else text


def _option(match: "re.Match[str]") -> str:
    if not is_secret_name(match["name"].lstrip("-")):
        return match[0]
    return f"{match['name']}{match['between']}{REMOVED}"
