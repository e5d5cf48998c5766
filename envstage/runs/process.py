"""Facts of a process that /proc tells, where there is one."""

import os


def state_of(pid: int) -> str | None:
    """The state of a process, a letter as `ps` has it (`R`, `S`, `T`); None: nobody can tell."""
    fields = _fields(pid)
    return fields[0] if fields else None


def is_below(pid: int, ancestor: int) -> bool:
    """Whether a process is a descendant of another one; what cannot be told is none."""
    while pid > 1:
        fields = _fields(pid)
        if len(fields) < 2:
            return False
        pid = int(fields[1])
        if pid == ancestor:
            return True
    return False


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the program's name, which may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return os.fsdecode(file.read().rpartition(b")")[2]).split()
    except OSError:
        return []
