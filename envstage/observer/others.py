"""What a process does with others, as it does it: starts, becomes, ends them.

Runs inside the observed program (see `recorder`).
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module `typing` must not be loaded in the observed program
    from typing import Any, Callable, Dict, Tuple

    from envstage.observer.recorder import Recorder

SIGNALS_THAT_END = (9, 15)


class Others:
    """The handlers of the interpreter's events about other processes."""

    def __init__(self, recorder: "Recorder", see_machine: "Callable[[Any, str], Any]") -> None:
        self.recorder = recorder
        self.report = recorder.report
        self.see_machine = see_machine

    def handlers(self) -> "Dict[str, Callable[[Tuple[Any, ...]], None]]":
        """By the event's name. The audit hook calls them itself: they look at its callers."""
        return {
            "subprocess.Popen": self.popened,
            "os.posix_spawn": self.posix_spawned,
            "os.exec": self.replaced,
            "os.system": self.shelled,
            "os.kill": self.killed,
            "os.killpg": self.group_killed,
        }

    def popened(self, arguments: "Tuple[Any, ...]") -> None:
        """`subprocess.Popen`: a program is about to be started."""
        program, argv, environ = arguments[0], arguments[1], arguments[-1]
        self.starts("spawn", program, argv, environ)

    def posix_spawned(self, arguments: "Tuple[Any, ...]") -> None:
        """`os.posix_spawn`, unless it is the second half of a `subprocess.Popen`."""
        frame: "Any" = sys._getframe(2)  # past the audit hook
        if frame.f_globals.get("__name__") != "subprocess":
            self.popened(arguments)

    def replaced(self, arguments: "Tuple[Any, ...]") -> None:
        """`os.exec`: this process is about to become another program, if there is one: the
        folders of PATH are tried in turn."""
        if not os.path.exists(arguments[0]):
            return
        self.see_machine(self.report, "self")
        self.starts("exec", arguments[0], arguments[1], arguments[2])

    def shelled(self, arguments: "Tuple[Any, ...]") -> None:
        """`os.system`: a shell is about to be started."""
        self.starts("spawn", "/bin/sh", ["sh", "-c", os.fsdecode(arguments[0])], None)

    def starts(self, kind: str, program: "Any", argv: "Any", environ: "Any") -> None:
        """Record which program, and what makes a Python in it escape; never its arguments."""
        environ = os.environ if environ is None else environ
        name, marks = self.recorder.part("started")["program_started"](
            program, argv, environ, self.report.folder, self.recorder.hook
        )
        self.report.write(kind, name, ",".join(marks))

    def killed(self, arguments: "Tuple[Any, ...]") -> None:
        """`os.kill`: look at the process before it is gone (a pool ends its workers so)."""
        pid, number = arguments[0], arguments[1]
        if number not in SIGNALS_THAT_END or pid == os.getpid():
            return
        if pid > 0:
            self.stopped(pid)
        else:
            self.group_killed((os.getpgrp() if pid == 0 else -pid, number))

    def group_killed(self, arguments: "Tuple[Any, ...]") -> None:
        """`os.killpg`: the same for each process of the group that reports."""
        group, number = arguments[0], arguments[1]
        if number not in SIGNALS_THAT_END:
            return
        names = [name for name in os.listdir(self.report.folder) if name.endswith(".events")]
        for pid in {int(name.split("-")[0]) for name in names}:
            try:
                if pid != os.getpid() and os.getpgid(pid) == group:
                    self.stopped(pid)
            except OSError:  # gone
                continue

    def stopped(self, pid: int) -> None:
        """Report for a process that cannot report its end itself. What it imported it has
        already said; the rest is in /proc."""
        prefix = "%d-" % pid
        if any(name.startswith(prefix) for name in os.listdir(self.report.folder)):
            self.see_machine(self.report, str(pid))
        self.report.write("stopped", str(pid))
