"""What an engine complained of, in one line."""

from typing import Final

from envstage.snapshot.secrets import without_secret_words

_MARKS: Final = ("error", "exception")
_LINES: Final = 2
_LONGEST: Final = 300


def complaint(stderr: bytes | str) -> str:
    """The first words of a complaint, from the line that names an error on, without secrets.

    The last ones are an excerpt of the file (DVC) or `None` (Snakemake).
    """
    text = stderr if isinstance(stderr, str) else stderr.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = (i for i, line in enumerate(lines) if any(mark in line.lower() for mark in _MARKS))
    first = next(named, 0)
    said = without_secret_words(" ".join(lines[first : first + _LINES]))[:_LONGEST]
    return said.rstrip(".:") or "it does not say why"
