"""What an installer's complaint means: which package, why, and what to do."""

import re
from collections.abc import Sequence
from typing import Final

from envstage.errors import INCOMPLETE, EnvstageError
from envstage.recreate.process import Finished

_CAUSES: Final = (
    (
        r"\b40[13]\b|authentication credentials|Unauthorized|Forbidden",
        "an index wants credentials",
        "Set them for this index (netrc, keyring, or UV_INDEX/PIP_EXTRA_INDEX_URL with a user)",
    ),
    (
        r"network was disabled|not found in the cache",
        "offline, and it is not in the cache",
        "Leave --offline out",
    ),
    (
        r"error sending request|Failed to fetch|Connection refused|Could not connect|"
        r"Failed to connect|Could not resolve host|Temporary failure in name resolution|"
        r"Failed to establish|NewConnectionError|timed out|dns error",
        "it cannot be reached: no network, or its server is down",
        "Check the network, then run it again: what was downloaded is kept by the installer",
    ),
    (
        r"Git operation failed|git (?:fetch|clone|checkout)|reference is not a tree",
        "its commit cannot be fetched any more",
        "Ask whoever has the repository to push that commit again",
    ),
    (
        r"[Ff]ailed to build|[Bb]uild failure|metadata-generation-failed|build backend",
        "it is only there as source, and its build failed",
        "Install what its build needs (a compiler, headers), or name a folder that has its "
        "wheel: --find-links DIR",
    ),
    (
        r"no version of|No matching distribution|Could not find a version|not found in the "
        r"package registry|no wheels|has no wheels|There are no versions|"
        # conda's programs of an archive, or of a spec.
        r"PackagesNotFound|nothing provides|does not exist|\b404\b",
        "no index that is known here serves this version: it vanished, or it comes from a "
        "private index. It cannot be rebuilt from elsewhere",
        "Name the index that has it (--index URL), or a folder with its wheel (--find-links DIR)",
    ),
    (r"No space left on device", "the disk is full", "Free some space and run it again"),
)
_TAIL: Final = 3
# What nobody can mend by trying again: the rest of the environment can do without it (`--keep`).
_LASTING: Final = ("no index that is known here", "it is only there as source", "its commit cannot")


class BuildError(EnvstageError):
    """The environment could not be built: nothing is left of it."""

    exit_code = INCOMPLETE
    lacking: tuple[str, ...] = ()
    """The packages that cannot be had from here, where it is that."""


def failure(done: Finished, names: Sequence[str]) -> BuildError:
    """The error for a call of the installer that failed.

    Args:
        names: the packages that it was to install.
    """
    text = done.text
    complaints = "\n".join(line for line in done.lines if _is_complaint(line)) or text
    guilty = [name for name in names if _is_named(name, complaints)]
    where = ", ".join(guilty[:5]) or "the installer"
    for pattern, what, fix in _CAUSES:
        if re.search(pattern, text):
            error = BuildError(what, where=where, fix=fix)
            error.lacking = tuple(guilty) if what.startswith(_LASTING) else ()
            return error
    last = [line.strip() for line in done.lines if line.strip()][-_TAIL:]
    return BuildError(
        f"could not be installed: {' / '.join(last) or 'the installer said nothing'}", where=where
    )


def _is_complaint(line: str) -> bool:
    return (
        re.search(r"(?i)\b(error|cause|because|no matching|could not|failed)\b", line) is not None
    )


def _is_named(name: str, text: str) -> bool:
    """Whether a text names a package, in any of its spellings."""
    spelled = "[-_.]+".join(re.escape(part) for part in re.split(r"[-_.]+", name))
    return re.search(rf"(?i)(?<![\w.-]){spelled}(?![\w-])", text) is not None
