"""Every process below reports, or the observation says that one did not."""

import os
import sys
import textwrap
from pathlib import Path

import pytest

from tests.observer.observed import names, observed, script

MAIN = "if __name__ == '__main__':\n"


def helper(folder: Path) -> None:
    """A module that a child imports, and its parent does not."""
    (folder / "inner.py").write_text("def work(n=0):\n    import innermost\n    return n\n")
    (folder / "innermost.py").write_text("")


def guarded(text: str) -> str:
    """A script that may be imported again by a spawned child."""
    return MAIN + textwrap.indent(text, "    ")


@pytest.mark.hard_case(36)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import inner", 0),
        ("import inner; raise ValueError", 1),
        ("import inner, sys; sys.exit(3)", 3),
        ("import inner, sys; sys.exit('text')", 1),
        ("import inner, os; os._exit(4)", 4),
        ("import inner, os; os._exit(status=5)", 5),
        ("import inner; raise KeyboardInterrupt", -2),
        ("import inner, threading; threading.Thread(target=inner.work).start()", 0),
    ],
)
def test_ways_to_end(tmp_path: Path, python: str, text: str, code: int) -> None:
    helper(tmp_path)
    seen = script(tmp_path, text, python)
    assert seen.returncode == code, seen.stderr
    assert "inner.py" in names(seen.observation, tmp_path)
    assert seen.observation.doubts == ()


@pytest.mark.hard_case(36)
@pytest.mark.parametrize("signal", [9, 15, 11])
def test_killed_process_is_in_doubt_and_keeps_what_it_said(tmp_path: Path, signal: int) -> None:
    helper(tmp_path)
    text = f"import inner, os; inner.work(); os.kill(os.getpid(), {signal})"
    seen = script(tmp_path, text)
    assert seen.returncode == -signal
    assert "innermost.py" in names(seen.observation, tmp_path)
    assert len(seen.observation.doubts) == 1
    assert "did not report its end" in seen.observation.doubts[0]
    assert not seen.observation.processes[0].is_complete


CODE = "'import inner; inner.work()'"
WORDS = f"[sys.executable, '-c', {CODE}]"
# What a parent does to have `inner.work()` called in another process.
CHILDREN = {
    "fork": """
pid = os.fork()
if pid == 0:
    import inner; inner.work(); os._exit(0)
os.waitpid(pid, 0)
""",
    "fork-exit": """
pid = os.fork()
if pid == 0:
    import inner; inner.work()
else:
    os.waitpid(pid, 0)
""",
    "subprocess": f"subprocess.run({WORDS}, check=True)",
    "shell": """os.system(sys.executable + ' -c "import inner; inner.work()"')""",
    "preexec": f"subprocess.run({WORDS}, preexec_fn=lambda: None, check=True)",
    "exec": f"os.execv(sys.executable, {WORDS})",
    "execvp": f"""
os.environ["PATH"] = "/absent:" + os.path.dirname(sys.executable)
os.execlp("python", "python", "-c", {CODE})
""",
    "spawnv": f"os.spawnv(os.P_WAIT, sys.executable, {WORDS})",
    "posix_spawn": f"os.waitpid(os.posix_spawn(sys.executable, {WORDS}, os.environ), 0)",
    "copied-environ": f"subprocess.run({WORDS}, env={{**os.environ, 'X': '1'}}, check=True)",
}


@pytest.mark.parametrize("kind", CHILDREN)
def test_children(tmp_path: Path, python: str, kind: str) -> None:
    helper(tmp_path)
    seen = script(tmp_path, "import os, subprocess, sys\n" + CHILDREN[kind], python)
    assert seen.returncode == 0, seen.stderr
    assert "innermost.py" in names(seen.observation, tmp_path)
    assert seen.observation.doubts == ()
    assert len(seen.observation.processes) == 2 + (kind in ("preexec", "spawnv"))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("way", ["Process", "Pool", "closed", "futures"])
def test_multiprocessing(tmp_path: Path, method: str, way: str) -> None:
    helper(tmp_path)
    bodies = {
        "Process": "p = c.Process(target=inner.work); p.start(); p.join()",
        "Pool": "with c.Pool(2) as p: print(p.map(inner.work, range(4)))",
        "closed": "p = c.Pool(2); p.map(inner.work, range(4)); p.close(); p.join()",
        "futures": "p = f.ProcessPoolExecutor(2, c); print(list(p.map(inner.work, range(4))))",
    }
    text = "import multiprocessing as m, concurrent.futures as f, inner\n"
    text += f"c = m.get_context({method!r})\n"
    seen = script(tmp_path, guarded(text + bodies[way]))
    assert seen.returncode == 0, seen.stderr
    assert "innermost.py" in names(seen.observation, tmp_path)
    assert seen.observation.doubts == ()


def test_joblib_workers(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    helper(tmp_path)
    text = """
import joblib, inner
print(joblib.Parallel(2)(joblib.delayed(inner.work)(n) for n in range(4)))
"""
    seen = script(tmp_path, guarded(text))
    assert seen.stdout == "[0, 1, 2, 3]\n", seen.stderr
    assert "innermost.py" in names(seen.observation, tmp_path)
    assert seen.observation.doubts == ()


def test_child_stopped_by_its_parent_is_no_doubt(tmp_path: Path) -> None:
    helper(tmp_path)
    text = """
import os, signal, time
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    import inner; inner.work()
    os.write(write, b"x"); time.sleep(60)
os.read(read, 1)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""
    seen = script(tmp_path, text).observation
    assert "innermost.py" in names(seen, tmp_path)
    assert seen.doubts == ()


def test_group_stopped_by_its_leader_is_no_doubt(tmp_path: Path) -> None:
    text = """
import os, signal, subprocess, sys
code = "print(1, flush=True); import time; time.sleep(60)"
words = [sys.executable, "-c", code]
child = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
os.killpg(child.pid, signal.SIGTERM)
child.wait()
"""
    assert script(tmp_path, text).observation.doubts == ()


ESCAPES = {
    "isolated": "[sys.executable, '-I', '-c', '']",
    "no-environment": "[sys.executable, '-E', '-c', '']",
    "no-site": "[sys.executable, '-BS', '-c', '']",
    "env -i": "['env', '-i', sys.executable, '-c', '']",
    "replaced path": "['sh', '-c', 'PYTHONPATH=src ' + sys.executable + ' -c 1']",
    "shell script": "['sh', 'run.sh']",
    "empty": "[sys.executable, '-c', ''], env={}",
    "other path": "[sys.executable, '-c', ''], env={**os.environ, 'PYTHONPATH': 'src'}",
    "shebang": "['./tool']",
}


@pytest.mark.parametrize("kind", ESCAPES)
def test_escaping_python_is_in_doubt(tmp_path: Path, kind: str) -> None:
    (tmp_path / "run.sh").write_text(f"# a comment\nexport X=1\n{sys.executable} -I -c ''\n")
    (tmp_path / "tool").write_text(f"#!{sys.executable} -I\n")
    (tmp_path / "tool").chmod(0o755)
    seen = script(
        tmp_path, f"import os, subprocess, sys; subprocess.run({ESCAPES[kind]}, check=True)"
    )
    assert seen.returncode == 0, seen.stderr
    assert len(seen.observation.doubts) >= 1


@pytest.mark.parametrize(
    "argv",
    ["['true']", "['sh', '-c', 'echo hello']", "['env', 'X=1', 'true']", "['ls', '-I', 'x']"],
)
def test_other_programs_are_no_doubt(tmp_path: Path, argv: str) -> None:
    seen = script(tmp_path, f"import subprocess; subprocess.run({argv}, check=True)")
    assert seen.observation.doubts == ()


def test_program_that_does_not_exist_is_no_doubt(tmp_path: Path) -> None:
    text = "import subprocess\ntry: subprocess.run(['python9.9'])\nexcept OSError: pass"
    assert script(tmp_path, text).observation.doubts == ()


def test_python_behind_a_launcher(tmp_path: Path) -> None:
    helper(tmp_path)
    argv = ["env", "X=1", "sh", "-c", f"{sys.executable} -c 'import inner; inner.work()'"]
    seen = observed(argv, tmp_path).observation
    assert "innermost.py" in names(seen, tmp_path)
    assert seen.doubts == ()


def test_secrets_of_a_command_line_stay_out(tmp_path: Path) -> None:
    text = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass', '--token=s3cret'])"
    )
    script(tmp_path, text)
    written = b"".join(path.read_bytes() for path in (tmp_path / "report").iterdir())
    assert b"s3cret" not in written
    assert len(os.listdir(tmp_path / "report")) == 2
