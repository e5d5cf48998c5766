"""One set of distributions: how it is installed, and what of it cannot come back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Set:
    """What is installed, one call a line; `prepared` makes local sources and gives more lines.

    `options` name the set's own places to all that rebuild it. `afterwards` happens between the
    capture and the rebuilds. Of what is `lost`, the best that is possible is to say so.
    """

    name: str
    lines: tuple[str, ...] = ()
    installer: str = "uv"
    prepared: Callable[[Path], tuple[str, ...]] | None = None
    options: Callable[[Path], tuple[str, ...]] | None = None
    afterwards: Callable[[Path], None] | None = None
    lost: frozenset[str] = frozenset()
