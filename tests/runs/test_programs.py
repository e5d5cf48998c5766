"""Which programs other than Python a command starts, by its words."""

import os
import sys
from pathlib import Path

import pytest

from envstage.runs.programs import programs_of


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A PATH with a Python, a console script, and the system's programs."""
    (tmp_path / "python").symlink_to(sys.executable)
    script = tmp_path / "summarise"
    script.write_text(f"#!{tmp_path}/python\n")
    script.chmod(0o755)
    return {"PATH": os.pathsep.join([str(tmp_path), "/usr/bin", "/bin"])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python train.py > log.txt 2>&1", set()),
        ("PYTHONPATH=src python train.py", set()),
        ("cd sub && python train.py; summarise out.txt", set()),
        ("python train.py | tee log.txt", {"tee"}),
        ("mkdir -p out && python train.py", {"mkdir"}),
        ("sort data.csv > out", {"sort"}),
        ("exec python train.py < data.csv", set()),
        ("python a.py\npython b.py", set()),
        ("uv run python train.py --flag && time python b.py", set()),
        ("python train.py || ./trainer", {"trainer"}),
        ("python train.py $(cat options)", {"sh"}),
        ("for x in 1 2; do python train.py $x; done", {"sh"}),
        ("if true; then ./trainer; fi", {"sh"}),
        ("(python train.py)", {"sh"}),
        (". ./setup.sh; python train.py", {"sh"}),
        ("python -c 'print(\"(;\")'", set()),
        ("python 'unclosed", {"sh"}),
        ("", set()),
    ],
)
def test_text_of_a_shell(environ: dict[str, str], text: str, expected: set[str]) -> None:
    assert programs_of(("/bin/sh", "-c", text), environ) == expected


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("python", "train.py"), set()),
        (("summarise", "out"), set()),
        (("/opt/trainer", "--gpu"), {"trainer"}),
        (("nice", "python3.11", "x.py"), set()),
        (("nice", "./trainer"), {"nice"}),
        (("bash", "script.sh"), {"bash"}),
        (("no-such-program",), {"no-such-program"}),
    ],
)
def test_command_line(environ: dict[str, str], argv: tuple[str, ...], expected: set[str]) -> None:
    assert programs_of(argv, environ) == expected
