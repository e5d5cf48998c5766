"""The file in which a process says what it uses: one line an event.

Runs inside the observed program (see `recorder`). Fields are separated by tabs, backslash escapes;
`events` reads them.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence, Set, Tuple

PENDING_AT_MOST = 64
# A file in the report folder: somebody wants to know what was in effect (see `effective`).
WANTED = "receipt.wanted"


def escape(text: str) -> str:
    """One field of a line: no tab, no newline, nothing that does not print."""
    if text.isprintable() and "\\" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


class Report:
    """The file of this process: opened for appending, each line in one `write`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.identity = ""
        self.path = ""
        self.descriptor = -1
        self.inode = (0, 0)
        self.seen: "Set[Tuple[str, ...]]" = set()
        self.pending: "List[Sequence[str]]" = []
        self.is_broken = False
        self.silent_thread = 0

    def open(self) -> None:
        """Begin a file under a new identity."""
        self.identity = "%d-%x%s" % (os.getpid(), self._clock(), os.urandom(3).hex())
        self.path = os.path.join(self.folder, self.identity + ".events")
        self._open(os.O_CREAT | os.O_EXCL)

    @staticmethod
    def _clock() -> int:
        return int(sys.modules["time"].time_ns()) if "time" in sys.modules else 0

    def _open(self, flags: int) -> None:
        flags |= os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self.path, flags, 0o666)
        self.descriptor = high_descriptor(descriptor)
        status = os.fstat(self.descriptor)
        self.inode = (status.st_dev, status.st_ino)

    def owns(self) -> bool:
        """Whether the descriptor is still ours: programs close descriptors that they never
        opened, and what gets the number next must not receive our lines."""
        try:
            status = os.fstat(self.descriptor)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.inode

    def write(self, *fields: str) -> None:
        """Append one line."""
        self.write_lines([fields])

    def write_lines(self, lines: "Sequence[Sequence[str]]") -> None:
        """Append lines in one `write`. After a failure the file never says `end`."""
        if self.is_broken or self.is_silent():
            return
        if self.pending:
            lines = [*self.pending, *lines]
            self.pending = []
        text = "".join(["\t".join([escape(field) for field in line]) + "\n" for line in lines])
        data = text.encode("utf-8", "surrogateescape")
        try:
            if not self.owns():
                self._open(0)
            self.is_broken = os.write(self.descriptor, data) != len(data)
        except OSError:
            self.is_broken = True

    def is_silent(self) -> bool:
        """Whether this thread is looking at what is in effect: that is no use of anything."""
        if not self.silent_thread:
            return False
        return bool(sys.modules["_thread"].get_ident() == self.silent_thread)

    def silence(self, is_on: bool) -> None:
        """Hear nothing of this thread, or hear it again."""
        self.silent_thread = sys.modules["_thread"].get_ident() if is_on else 0

    def write_later(self, *fields: str) -> None:
        """Append one line together with the next one."""
        self.pending.append(fields)
        if len(self.pending) >= PENDING_AT_MOST:
            self.write_lines(())

    def once(self, *fields: str) -> None:
        """Append one line unless this process has said the same before."""
        if fields not in self.seen and not self.is_silent():
            self.seen.add(fields)
            self.write_lines([fields])

    def abandon(self) -> None:
        """In a forked child: the descriptor belongs to the parent's file."""
        if self.owns():
            os.close(self.descriptor)
        self.descriptor = -1
        self.pending = []
        self.is_broken = False


def high_descriptor(descriptor: int) -> int:
    """Move a descriptor out of the numbers that the program would get: the first one that a
    program opens is 3, and some are told so."""
    try:
        highest = min(os.sysconf("SC_OPEN_MAX"), 1024) - 1
    except (AttributeError, OSError, ValueError):
        return descriptor
    for number in range(highest, max(highest - 64, descriptor), -1):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(descriptor, number, False)
            os.close(descriptor)
            return number
    return descriptor
