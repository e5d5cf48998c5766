"""Signals and terminals: each signal once, stops and sizes as the shell expects them."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.runs.launched import PYTHON, Launcher, Running, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
SIGNALS = (PYTHON, "signals.py")
SENT = ("TERM", "INT", "HUP", "QUIT", "USR2", "WINCH", "CONT", "ALRM", "TSTP")


def test_sent_to_the_process(either: Launcher) -> None:
    with either.started(SIGNALS) as running:
        for name in SENT:
            os.kill(running.process.pid, getattr(signal, f"SIG{name}"))
            time.sleep(0.1)
        assert running.heard() == [f"SIG{name}" for name in SENT]


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR2"])
def test_not_handled(either: Launcher, name: str) -> None:
    number = getattr(signal, f"SIG{name}")
    with either.started((*SIGNALS, name)) as running:
        os.kill(running.process.pid, number)
        status, stdout, stderr = running.end()
    assert (status, stdout) == (-number, b"")
    assert (b"KeyboardInterrupt" in stderr) == (name == "INT")
    assert b"envstage" not in stderr


def test_killed(either: Launcher) -> None:
    with either.started(SIGNALS) as running:
        os.kill(running.process.pid, signal.SIGKILL)
        assert running.end()[0] == -signal.SIGKILL
        wait_for(lambda: not is_there(running.pid))


def test_timer_from_before_counts_on(either: Launcher) -> None:
    def prepare() -> None:
        signal.setitimer(signal.ITIMER_REAL, 2.0)

    with either.started(SIGNALS, preexec_fn=prepare) as running:
        time.sleep(2.2)
        assert running.heard() == ["SIGALRM"]


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_program_that_signals_its_own_group(either: Launcher, name: str) -> None:
    text = (
        f"import os, signal, time; heard = []; number = signal.SIG{name}\n"
        "signal.signal(number, lambda *words: heard.append(1))\n"
        "os.killpg(0, number); time.sleep(0.3); print(heard)"
    )
    outcome = either.run((PYTHON, "-c", text), start_new_session=True)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, b"[1]\n", b"")


@contextmanager
def in_terminal(launcher: Launcher, argv: tuple[str, ...]) -> Iterator[tuple[Running, int]]:
    """A program as the foreground job of a terminal of its own."""
    controller, terminal = pty.openpty()
    resize(controller, 33, 99)

    options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
    try:
        with launcher.started(argv, preexec_fn=leader_of(terminal), **options) as running:
            os.close(terminal)
            terminal = -1
            yield running, controller
    finally:
        if terminal >= 0:
            os.close(terminal)
        os.close(controller)


def leader_of(terminal: int) -> Callable[[], None]:
    def prepare() -> None:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    return prepare


def resize(controller: int, lines: int, columns: int) -> None:
    fcntl.ioctl(controller, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def said(controller: int, running: Running) -> list[str]:
    """What `signals.py` has heard, through its terminal."""
    time.sleep(0.2)
    os.kill(running.pid, signal.SIGUSR1)
    text = read_all(controller)
    assert running.process.wait(10) == 0
    return re.findall("SIG[A-Z]+", text)


def read_all(controller: int) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(controller, 4096)
        except OSError:  # nobody holds the other end any more
            return b"".join(parts).decode()
        if not part:
            return b"".join(parts).decode()
        parts.append(part)


@pytest.mark.parametrize(("key", "name"), [(b"\x03", "SIGINT"), (b"\x1c", "SIGQUIT")])
def test_keys_arrive_once(either: Launcher, key: bytes, name: str) -> None:
    with in_terminal(either, SIGNALS) as (running, controller):
        os.write(controller, key)
        assert said(controller, running) == [name]


def test_new_size_arrives_once(either: Launcher) -> None:
    with in_terminal(either, SIGNALS) as (running, controller):
        resize(controller, 50, 50)
        assert said(controller, running) == ["SIGWINCH"]


def test_interrupted_by_the_keyboard(either: Launcher) -> None:
    with in_terminal(either, (*SIGNALS, "INT")) as (running, controller):
        os.write(controller, b"\x03")
        text = read_all(controller)
        assert running.process.wait(10) == -signal.SIGINT
    assert text.count("Traceback") == 1
    assert text.count("KeyboardInterrupt") == 1


def test_stopped_and_continued(either: Launcher) -> None:
    """Ctrl-Z and `fg`, twice; `job_control.py` is the shell."""
    command = (PYTHON, "job_control.py", *either.command((*SIGNALS, "TSTP")))
    with in_terminal(Launcher(either.root), command) as (running, controller):
        seen = ""
        for number in (1, 2):
            os.write(controller, b"\x1a")
            while seen.count("STOPPED 20") < number:
                seen += os.read(controller, 4096).decode()
            os.write(controller, b"\n")
            # The next stop would take back a SIGCONT that nobody has handled yet.
            wait_for(partial(_has_heard, either.root, "SIGCONT", number))
        os.kill(running.pid, signal.SIGUSR1)
        seen += read_all(controller)
        assert running.process.wait(10) == 0
    assert "ENDED 0" in seen
    assert re.findall("SIG[A-Z]+", seen) == ["SIGCONT", "SIGCONT"]


def _has_heard(root: Path, name: str, times: int) -> bool:
    heard = root / "heard.txt"
    return heard.exists() and heard.read_text().split().count(name) >= times


def test_program_at_a_terminal(bare: Launcher, guarded: Launcher) -> None:
    texts = []
    for launcher in (bare, guarded):
        controller, terminal = pty.openpty()
        resize(controller, 33, 99)
        process = subprocess.Popen(
            launcher.command((PYTHON, "terminal.py")),
            cwd=launcher.root,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            preexec_fn=leader_of(terminal),
        )
        os.close(terminal)
        seen = b""
        while b"name? " not in seen:
            seen += os.read(controller, 4096)
        os.write(controller, "Ada ü\n".encode())
        texts.append(seen.decode() + read_all(controller))
        assert process.wait(10) == 0
        os.close(controller)
    assert "True os.terminal_size(columns=99, lines=33)" in texts[0]
    # At a terminal the guard says in a line of its own what it did not do.
    assert texts[1].startswith(texts[0])
    assert texts[1][len(texts[0]) :].startswith("envstage: not started by the pipeline")


def test_interrupt_that_the_program_survives(either: Launcher) -> None:
    """Ctrl-C ends the training early and saves the model: the stage is not a failed one."""
    text = (
        "import os, time\n"
        "try:\n"
        "    open('pid.part', 'w').write(str(os.getpid())); os.rename('pid.part', 'pid.txt')\n"
        "    time.sleep(30)\n"
        "except KeyboardInterrupt: print('saved')"
    )
    with in_terminal(either, (PYTHON, "-c", text)) as (running, controller):
        os.write(controller, b"\x03")
        assert "saved" in read_all(controller)
        assert running.process.wait(10) == 0


def state(pid: int) -> str:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0].decode()


def is_there(pid: int) -> bool:
    try:
        return state(pid) not in "ZX"
    except OSError:
        return False


def test_a_thread_of_a_library_takes_the_signal(tmp_path: Path) -> None:
    """Signals go to any thread that does not block them: the end of the command is seen anyway."""
    script = (
        "import os, threading, time\n"
        "from envstage.runs.command import run_command\n"
        "for _ in range(4): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        # Not while this process waits: before it does.
        "import envstage.runs.signals as s\n"
        "wait = s.wait_for\n"
        "s.wait_for = lambda child: (time.sleep(0.2), wait(child))[1]\n"
        "for _ in range(5): print(run_command(['true'], os.environ).returncode)\n"
    )
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert done.stdout.split() == ["0"] * 5, done.stderr
