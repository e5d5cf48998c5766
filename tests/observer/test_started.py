"""Which programs could start a Python that the observer does not see."""

from pathlib import Path

import pytest

from envstage.observer.started import command_marks, is_isolated, is_python

HOOK = "/hook"


def marks(argv: list[str], **environ: str) -> tuple[str, ...]:
    seen = {"PATH": "/usr/bin:/bin", "PYTHONPATH": HOOK, "ENVSTAGE_OBSERVE": "/report", **environ}
    return command_marks(argv, seen, "/report", HOOK)


@pytest.mark.parametrize(
    "name", ["python", "python3", "python3.13", "python3.13t", "pypy3", "python2"]
)
def test_pythons(name: str) -> None:
    assert is_python(name)


@pytest.mark.parametrize("name", ["pythonize", "ipython", "python-config", "sh", ""])
def test_others(name: str) -> None:
    assert not is_python(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-I x.py", True),
        ("-Es x.py", True),
        ("-W error -S x.py", True),
        ("-Werror x.py -I", False),
        ("-X dev x.py", False),
        ("-XI x.py", False),
        ("x.py -I", False),
        ("-c -I", False),
        ("-m pip -I", False),
        ("-B -O -P x.py", False),
        ("--check-hash-based-pycs -I x.py", True),
        ("", False),
    ],
)
def test_isolating_options(text: str, expected: bool) -> None:
    assert is_isolated(text.split()) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PYTHONPATH=src train", ("cleared",)),
        ("PYTHONPATH=src:$PYTHONPATH train", ()),
        ("cd x && docker run image", ("elsewhere",)),
        ("unset PYTHONPATH; train", ("cleared",)),
        ("(python -I x.py)", ("isolated",)),
        ("env -i train", ("cleared",)),
        ("env X=1 train", ()),
        ("# docker\necho done", ()),
    ],
)
def test_text_of_shells(text: str, expected: tuple[str, ...]) -> None:
    assert marks(["sh", "-c", text]) == expected
    assert marks(["bash", "-ec", text]) == expected or not Path("/bin/bash").exists()


def test_cleared_environment_matters_where_python_can_follow() -> None:
    assert marks(["sh", "-c", "true"], PYTHONPATH="src") == ("cleared",)
    assert marks(["sh", "-c", "true"], ENVSTAGE_OBSERVE="/other") == ("cleared",)
    assert marks(["ls"], PYTHONPATH="src") == ()


def test_scripts(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    for line, expected in (
        ("#!/usr/bin/env python3", ("python",)),
        ("#!/usr/bin/env -S python3 -I", ("isolated", "python")),
        ("#!/usr/bin/python3 -Es", ("isolated", "python")),
        ("#!/bin/sh\nssh host train", ("elsewhere",)),
        ("#!/usr/bin/awk -f", ()),
    ):
        tool.write_text(line + "\n")
        assert marks([str(tool)]) == expected
