"""Programs that take minutes: run with their lines shown as they come."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from envstage.snapshot.secrets import without_secret_words
from envstage.snapshot.words import printable

Progress: TypeAlias = Callable[[str], None]
"""Takes one line for a person who waits."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What a program left: its exit code, and both streams as they came, line by line."""

    returncode: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything that it said."""
        return "\n".join(self.lines)


def run(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    progress: Progress,
    cwd: str | None = None,
) -> Finished:
    """Run a program to its end; a Ctrl-C ends it, and waits until it has gone.

    Raises:
        OSError: it cannot be started.
    """
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environ),
        cwd=cwd,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    lines: list[str] = []
    try:
        for line in process.stdout or ():
            # Installers and Git repeat the URLs that they were given, and hide few of them.
            text = without_secret_words(printable(line.rstrip("\n").replace("\t", "  ")))
            lines.append(text)
            progress(text)
        returncode = process.wait()
    except BaseException:  # Ctrl-C: nothing goes on installing into a folder that is removed
        process.terminate()
        process.wait()
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    return Finished(returncode=returncode, lines=tuple(lines))
