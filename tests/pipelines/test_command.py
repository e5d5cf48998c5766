import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envstage.pipelines.command import (
    capture_command,
    guarded,
    interpreter_of,
    is_guarded,
    receipt_in,
    unguarded,
)


@pytest.mark.parametrize(
    ("cmd", "python"),
    [
        ("python train.py", "auto"),
        ("python3 -m train", "auto"),
        ("python3.11 train.py", "python3.11"),
        (".venv/bin/python train.py", ".venv/bin/python"),
        ("/opt/py/bin/python3 -u x.py", "/opt/py/bin/python3"),
        ("A=1 B='x y' python3.12 t.py", "python3.12"),
        ("env -u X A=1 pypy3 t.py", "pypy3"),
        ("time nice -n 5 python3.9 t.py", "python3.9"),
        ("timeout -s KILL 5m python3.9 t.py", "python3.9"),
        ("cd x && python3.10 t.py | tee log", "python3.10"),
        ("set -e\npython3.10 \\\n  t.py", "python3.10"),
        ("echo hi > python3.10; ./a.sh", "auto"),
        ("uv run python t.py", "uv run python"),
        ("uv run t.py", "uv run python"),
        ("uv run -m mod", "uv run python"),
        ("uv run --extra gpu --frozen -- t.py", "uv run --extra gpu --frozen python"),
        ("uv --project p run t.py", "uv --project p run python"),
        ("uv pip install x", "auto"),
        ("poetry run train", "poetry run python"),
        ("conda run -n x --no-capture-output python t.py",
         "conda run -n x --no-capture-output python"),
        ("pixi run -e gpu train", "pixi run -e gpu python"),
        ("pdm run python t.py", "pdm run python"),
        ("${python} t.py", "auto"),
        ("$VIRTUAL_ENV/bin/python t.py", "auto"),
        ("conda run -n ${env} python t.py", "auto"),
        ("Rscript t.R", "auto"),
        ("python 'unbalanced", "auto"),
        ("", "auto"),
    ],
)  # fmt: skip
def test_the_interpreter_is_read_off_the_command(cmd: str, python: str) -> None:
    assert interpreter_of(cmd) == python


def test_a_capture_goes_the_way_of_the_stage() -> None:
    assert capture_command("auto") == "envstage capture"
    assert capture_command("uv run --frozen python") == "uv run --frozen envstage capture"
    assert capture_command(".venv/bin/python") == "envstage capture"


@pytest.mark.parametrize(
    "cmd",
    ["python t.py", "python t.py --name 'a b' *.csv", "python t.py \\\n  --x", "python t.py ${x}",
     'python -c "a\nb"'],
)  # fmt: skip
def test_a_simple_command_gets_a_prefix(cmd: str) -> None:
    assert guarded(cmd, "v") == f"envstage run --view v -- {cmd}"


@pytest.mark.parametrize(
    "cmd",
    ["a | b", "a && b", "a; b", "a > b", "A=1 a", "cd x", "a\nb", "a $(b)", "a `b`", "(a)", "a &",
     "source v/bin/activate", "if a; then b; fi", "$X a", "echo 'it''s' > x"],
)  # fmt: skip
def test_shell_syntax_is_passed_as_one_word(cmd: str) -> None:
    after = guarded(cmd, "v")
    assert after is not None
    assert shlex.split(after) == ["envstage", "run", "--view", "v", "--shell", cmd]


@pytest.mark.parametrize("cmd", ["a ${x} | b", "${cmd}", "A=${a} b", "cd ${x}", "", " \n"])
def test_what_cannot_be_guarded_safely_is_not(cmd: str) -> None:
    assert guarded(cmd, "v") is None


COMMANDS = st.one_of(
    st.text("ab'\"\\|&;$ \n>=", min_size=1, max_size=20),
    st.sampled_from(["python t.py", "cd x && python t.py", "uv run --extra a t.py\n", "a\n\n"]),
)


@given(COMMANDS, st.sampled_from(["", "1/2"]))
def test_a_guard_is_put_once_and_taken_away_without_a_trace(cmd: str, part: str) -> None:
    after = guarded(cmd, "train", part)
    if after is not None:
        assert is_guarded(after)
        assert guarded(after, "train", part) == after
        assert unguarded(after).strip() == cmd.strip()
    assert unguarded(cmd) == cmd


STAND_IN = """#!/bin/sh
# envstage run --view V [--part P] (-- CMD... | --shell TEXT)
while [ "$1" != -- ] && [ "$1" != --shell ]; do shift; done
form=$1; shift
if [ "$form" = -- ]; then exec "$@"; else exec "${SHELL:-/bin/sh}" -c "$1"; fi
"""


@pytest.mark.parametrize(
    "cmd",
    ["printf '%s|' a 'b  c' \"d\"", "cd / && pwd", "printf 'a\\nb' | tr a-z A-Z",
     "X='1 2' sh -c 'echo \"$X\"'", "echo one\necho \"it's\"\n", "echo $(echo a; echo b) `echo c`",
     "for i in 1 2; do echo $i; done", "false || echo no", "exit 3", "printf a 1>&2 2>/dev/null",
     "printf %s \\\n  continued", "# only\necho x"],
)  # fmt: skip
def test_a_guarded_command_does_what_it_did(cmd: str, tmp_path: Path) -> None:
    program = tmp_path / "envstage"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SHELL": "/bin/sh"}

    def run(text: str) -> tuple[int, str, str]:
        done = subprocess.run(
            ["/bin/sh", "-c", text], env=environ, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    after = guarded(cmd, "v")
    assert after is not None
    assert run(after) == run(cmd)


@pytest.mark.parametrize(
    ("cmd", "receipt"),
    [
        ("envstage run --view t --receipt a/b.json -- python t.py", "a/b.json"),
        ("envstage run --view t --part 1/2 --receipt=b.json --shell 'x'", "b.json"),
        ("envstage run --view t --on-drift warn --sign k.pem --receipt r --no-observe -- x", "r"),
        ("uv run envstage run --view t --receipt ${item}.json -- uv run t.py", "${item}.json"),
        ("envstage run --view t -- x --receipt other", ""),
        ("envstage run --view t --shell 'x --receipt other -- y'", ""),
        ("python t.py --receipt x", ""),
    ],
)
def test_the_receipt_of_a_guard(cmd: str, receipt: str) -> None:
    assert receipt_in(cmd) == receipt
    joined = guarded(cmd, "t", "", "new.json")
    assert joined is not None
    assert receipt_in(joined) == (receipt or "new.json")
    assert guarded(joined, "t", "", "newer.json") == joined
    assert unguarded(joined) == unguarded(cmd)


def test_a_guard_with_options_is_a_guard() -> None:
    cmd = "envstage run --view t --on-mismatch record --no-observe --deps a b --outs c -- python t"
    assert is_guarded(cmd)
    assert unguarded(cmd) == "python t"
