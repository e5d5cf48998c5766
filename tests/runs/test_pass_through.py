"""A program behaves under the guard as without it, byte for byte."""

import importlib.util
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from tests.runs.launched import PYTHON, Launcher, Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
BINARY = bytes(range(256)) * 4096
BASE = getattr(sys, "_base_executable", sys.executable)
PROGRAMS = {
    "script": (PYTHON, "script.py", "--view", "a b", "ü"),
    "module": (PYTHON, "-m", "package", "word"),
    "command": (PYTHON, "-c", "import sys; print(sys.argv, sys.flags)", "x"),
    "spawn": (PYTHON, "pools.py", "spawn"),
    "forkserver": (PYTHON, "pools.py", "forkserver"),
    "fork": (PYTHON, "pools.py", "fork"),
    "another Python": (PYTHON, "another_python.py", BASE),
    "isolated": (PYTHON, "-I", "script.py"),
    "lines": (PYTHON, "lines.py"),
    "no stdin": (PYTHON, "echo.py"),
    "modules replaced": (PYTHON, "modules.py", "replaced"),
    "modules cleared": (PYTHON, "modules.py", "cleared"),
    "finders removed": (PYTHON, "modules.py", "finders"),
    "module replaced by itself": (PYTHON, "modules.py", "itself"),
    "pipeline": ("sh", "-c", "printf 'b\\na\\n' | sort | tee out.txt; yes | head -1; false"),
    "kill 0": ("sh", "-c", "trap 'echo asked >> asked.txt; exit 4' TERM; kill 0; sleep 9"),
    "not found": ("sh", "-c", "no-such-program"),
    "facts": (PYTHON, "facts.py"),
}
CRASHES = "exception exit abort segfault large words kill term int hup pipe usr1 alrm".split()


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(bare: Launcher, guarded: Launcher, name: str) -> None:
    argv = PROGRAMS[name]
    is_group = name == "kill 0"
    found = guarded.run(argv, start_new_session=is_group)
    assert_equal(found, bare.run(argv, start_new_session=is_group), name)


@pytest.mark.parametrize("kind", CRASHES)
def test_crashes(bare: Launcher, guarded: Launcher, kind: str) -> None:
    argv = (PYTHON, "crash.py", kind)
    assert_equal(guarded.run(argv), bare.run(argv), kind)


def test_binary_input(bare: Launcher, guarded: Launcher) -> None:
    argv = (PYTHON, "echo.py")
    expected = bare.run(argv, given=BINARY)
    assert expected.stdout == BINARY[::-1]
    assert_equal(guarded.run(argv, given=BINARY), expected, "")


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_streams(bare: Launcher, guarded: Launcher, closed: tuple[int, ...]) -> None:
    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    argv = (PYTHON, "echo.py")
    expected = bare.run(argv, preexec_fn=close)
    assert expected.files["streams.txt"].count(b"True") == len(closed)
    assert_equal(guarded.run(argv, preexec_fn=close), expected, "")


def test_own_sitecustomize(bare: Launcher, guarded: Launcher) -> None:
    environ = {"PYTHONPATH": str(bare.root / "own")}
    argv = (PYTHON, "script.py")
    expected = bare.run(argv, environ=environ)
    assert expected.stdout.startswith(b"the user's own")
    # The variable is another one than the view says.
    guarded = Launcher(guarded.root, (*guarded.prefix, "--on-mismatch", "record"))
    assert_equal(guarded.run(argv, environ=environ), expected, "")


def test_daemon_that_outlives_its_parent(bare: Launcher, guarded: Launcher) -> None:
    argv = (PYTHON, "daemon.py")
    expected = bare.run(argv, until="daemon.txt")
    assert expected.files["daemon.txt"] == b"alive\n"
    assert_equal(guarded.run(argv, until="daemon.txt"), expected, "")


def test_everything_inherited(bare: Launcher, guarded: Launcher, tmp_path: Path) -> None:
    """Umask, niceness, limits, blocked and ignored signals, descriptors, an odd variable."""
    (tmp_path / "file").write_text("abc")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)

    def prepare() -> None:
        os.umask(0o137)
        os.nice(3)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGRTMIN):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGCHLD})
        os.lseek(descriptor, 0, os.SEEK_SET)

    options = {
        "environ": {"ODD": "\udcff\n=", "LC_ALL": "C", "LANG": ""},
        "pass_fds": (descriptor,),
        "preexec_fn": prepare,
    }
    argv = (PYTHON, "facts.py", str(descriptor))
    expected = bare.run(argv, **options)  # type: ignore[arg-type]
    assert b"abc" in expected.stdout
    assert_equal(guarded.run(argv, **options), expected, "")  # type: ignore[arg-type]
    os.close(descriptor)


@pytest.mark.parametrize("is_known", [True, False])
def test_ends_of_children_ignored(bare: Launcher, guarded: Launcher, is_known: bool) -> None:
    """Programs that the guard itself starts cannot be waited for as usual."""

    def prepare() -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    if not is_known:  # what was captured before does not hold
        os.utime(guarded.root / "envstage.yaml")
    argv = ("grep", "^SigIgn", "/proc/self/status")
    expected = bare.run(argv, preexec_fn=prepare)
    assert_equal(guarded.run(argv, preexec_fn=prepare), expected, "")


@pytest.mark.parametrize("variables", [{}, {"LC_ALL": "", "LANG": "C"}, {"LC_CTYPE": "C.UTF-8"}])
def test_variables_of_a_program_that_is_no_python(
    bare: Launcher, guarded: Launcher, variables: dict[str, str]
) -> None:
    argv = ("sh", "-c", "unset PYTHONPATH ENVSTAGE_OBSERVE; env; cat /proc/$$/status | grep ^Sig")
    expected = bare.run(argv, environ=variables)
    assert_equal(drop_queue(guarded.run(argv, environ=variables)), drop_queue(expected), "")


@pytest.mark.parametrize("setting", ["trap '' PIPE; ", "trap '' XFSZ INT; ", ""])
def test_what_a_shell_ignores(bare: Launcher, guarded: Launcher, setting: str) -> None:
    grep = "grep ^SigIgn /proc/self/status"
    expected = bare.run(("sh", "-c", f"{setting}{grep}; :"))
    words = " ".join(guarded.prefix)
    done = Launcher(guarded.root).run(("sh", "-c", f"{setting}{words} -- {grep}; :"))
    assert_equal(done, expected, setting)


def test_no_hash_bang(guarded: Launcher) -> None:
    script = guarded.root / "no-hash-bang"
    script.write_text("echo $1\n")
    script.chmod(0o755)
    assert guarded.run(("./no-hash-bang", "word")).stdout == b"word\n"


@pytest.mark.parametrize(
    ("program", "status", "said"),
    [
        ("no-such-program", 127, b"there is no such program"),
        ("./script.py/x", 127, b"there is no such program"),
        ("./script.py", 126, b"Permission denied"),
    ],
)
def test_what_cannot_be_started(guarded: Launcher, program: str, status: int, said: bytes) -> None:
    outcome = guarded.run((program,))
    assert outcome.status == status
    assert said in outcome.stderr
    assert outcome.stderr.count(b"\n") == 1


@pytest.mark.e2e
@pytest.mark.skipif(importlib.util.find_spec("nbclient") is None, reason="nbclient is not there")
@pytest.mark.skipif(importlib.util.find_spec("ipykernel") is None, reason="no kernel is there")
def test_notebook(bare: Launcher, guarded: Launcher) -> None:
    argv = (PYTHON, "notebook.py")
    environ = {"JUPYTER_ALLOW_INSECURE_WRITES": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    expected = bare.run(argv, environ=environ)
    assert b"from the kernel" in expected.stdout
    assert_equal(guarded.run(argv, environ=environ), expected, "")


def test_one_more_process_and_no_more(guarded: Launcher) -> None:
    with guarded.started((PYTHON, "signals.py")) as running:
        assert children_of(running.process.pid) == [running.pid]
        assert running.heard() == []


def children_of(parent: int) -> list[int]:
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if is_child(pid, parent)]


def is_child(pid: int, parent: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # gone
        return False
    return int(stat.rpartition(b")")[2].split()[1]) == parent


def assert_equal(found: Outcome, expected: Outcome, name: str) -> None:
    assert found.stderr == expected.stderr, name
    assert found.stdout == expected.stdout, name
    assert found.status == expected.status, name
    assert found.files == expected.files, name


def drop_queue(outcome: Outcome) -> Outcome:
    lines = [line for line in outcome.stdout.split(b"\n") if not line.startswith(b"SigQ")]
    return Outcome(status=outcome.status, stdout=b"\n".join(lines), stderr=outcome.stderr, files={})
