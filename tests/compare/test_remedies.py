"""`check --fix`: exact commands, and what no command can do."""

from envstage.compare.changes import changes
from envstage.compare.remedies import Interpreter, Remedy, remedies
from envstage.compare.sides import compare
from envstage.snapshot.model import Address, Value
from tests.compare.samples import NEW, OLD, side


def steps(old: dict[Address, Value], new: dict[Address, Value], *, uv: bool) -> list[Remedy]:
    found = changes(compare(side(old), side(new)).differences)
    python = "/venv/bin/python"
    pip = () if uv else (python, "-m", "pip")
    interpreter = Interpreter(executable=python, uv="uv" if uv else "", pip=pip)
    return list(remedies(found, old, interpreter))


def commands(found: list[Remedy]) -> list[str]:
    return [" ".join(each.command) for each in found if each.command]


def test_uv() -> None:
    assert commands(steps(OLD, NEW, uv=True)) == [
        "uv venv --python 3.11.8",
        "uv pip install --python /venv/bin/python --no-deps"
        " --extra-index-url https://download.pytorch.org/whl/cu118"
        " numpy==1.26.3 pandas==2.2.0 torch==2.1.0+cu118 apex==0.1 pip==23.0",
        "uv pip install --python /venv/bin/python --no-deps --reinstall"
        " scipy==1.11.4 click==8.1.0 own==1.0",
        "uv pip uninstall --python /venv/bin/python xformers",
        "export OMP_NUM_THREADS=8",
    ]


def test_pip() -> None:
    old: dict[Address, Value] = {("packages", "a", "version"): "1.0"}
    new: dict[Address, Value] = {("packages", "b", "version"): "1.0"}
    assert commands(steps(old, new, uv=False)) == [
        "/venv/bin/python -m pip install --no-deps a==1.0",
        "/venv/bin/python -m pip uninstall --yes b",
    ]


def test_what_no_command_can_do_is_said() -> None:
    advice = " ".join(each.advice for each in steps(OLD, NEW, uv=True))
    for subject in ("hardware.gpu.driver", "hardware.gpu.models", "system.libc", "tools.samtools"):
        assert subject in advice


def test_every_change_has_a_step() -> None:
    closed = {name for each in steps(OLD, NEW, uv=True) for name in each.closes}
    found = changes(compare(side(OLD), side(NEW)).differences)
    assert closed == {".".join(each.subject) for each in found}


def test_a_git_origin_comes_back() -> None:
    commit = "c" * 40
    old: dict[Address, Value] = {
        ("packages", "own", "version"): "1.0",
        ("packages", "own", "url"): "git+https://github.com/o/own",
        ("packages", "own", "commit"): commit,
    }
    assert commands(steps(old, {}, uv=True)) == [
        "uv pip install --python /venv/bin/python --no-deps"
        f" own @ git+https://github.com/o/own@{commit}"
    ]


def test_where_neither_uv_nor_pip_is_there_it_is_said_first() -> None:
    old: dict[Address, Value] = {("packages", "a", "version"): "1.0"}
    found = changes(compare(side(old), side({})).differences)
    first, second = remedies(found, old, Interpreter(executable="/venv/bin/python"))
    assert "install uv first" in first.advice
    assert second.command[:3] == ("uv", "pip", "install")
