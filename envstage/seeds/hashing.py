"""Python's hash seed: fixed when the interpreter starts, and by nothing afterwards."""

import functools
import os
import subprocess
import sys
from typing import Final

VARIABLE: Final = "PYTHONHASHSEED"
_TEXT: Final = "envstage"
_TIMEOUT_S: Final = 20


def is_hash_fixed() -> bool:
    """Whether hashes of text are the same in every run: the variable was there at the start.

    A variable that was set since then tells nothing. So a fresh interpreter is asked for the hash
    of a text under the variable's value, which takes 20 ms, once.
    """
    if not sys.flags.hash_randomization:
        return True
    value = os.environ.get(VARIABLE, "")
    return value.isdigit() and _hash_under(value) == hash(_TEXT)


def hash_note() -> str | None:
    """What to do where the hash seed is not fixed; None where it is."""
    if is_hash_fixed():
        return None
    late = " (it was set after Python started)" if os.environ.get(VARIABLE) else ""
    return (
        f"{VARIABLE} was not set when Python started{late}: the order of sets of text differs "
        f"from run to run. Start with `{VARIABLE}=0 python ...`"
    )


@functools.cache
def _hash_under(value: str) -> int | None:
    """The hash of a text in an interpreter that starts with this hash seed."""
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-c", f"print(hash({_TEXT!r}))"],
            env={**os.environ, VARIABLE: value},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        return int(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
