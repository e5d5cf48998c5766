"""Documents of others: what each says, what it is silent about, and what is none."""

from pathlib import Path

import pytest

from envstage.compare import foreign
from envstage.compare.foreign.interface import Foreign
from envstage.errors import EnvstageError
from envstage.snapshot.model import written

DATA = Path(__file__).parent.parent / "data" / "foreign"


def read(name: str) -> Foreign:
    path = DATA / name
    beside = {
        each: (path.parent / each).read_bytes()
        for each in foreign.COMPANIONS
        if each != path.name and (path.parent / each).exists()
    }
    return foreign.read(path.name, path.read_bytes(), beside, name)


def facts(name: str) -> dict[str, object]:
    return {written(address): value for address, value in read(name).facts.items()}


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_pip_freeze() -> None:
    assert facts("freeze.txt") == {
        "packages.alpha.version": "1.0",
        "packages.beta-two.version": "2.0.post1",
        "packages.gamma.url": "git+https://github.com/o/gamma",
        "packages.gamma.commit": COMMIT,
        "packages.gamma.source": f"commit:{COMMIT}",
        "packages.local.url": "git+https://github.com/o/local",
        "packages.local.commit": COMMIT,
        "packages.local.source": f"commit:{COMMIT}",
        "packages.numpy.version": "1.26.4",
        "packages.torch.version": "2.7.1+cu128",
    }
    coverage = read("freeze.txt").coverage
    assert coverage.complete == {"packages"}
    assert {"pip", "envstage", "gamma", "local"} <= coverage.unlisted


def test_requirements_by_hand_speak_of_what_they_pin() -> None:
    assert facts("by-hand.txt") == {
        "packages.torch.version": "2.1.0",
        "packages.scikit-learn.version": "1.4.0",
    }
    assert read("by-hand.txt").coverage.complete == frozenset()


def test_compiled_requirements_are_complete() -> None:
    assert facts("compiled.txt") == {
        "packages.numpy.version": "1.26.4",
        "packages.pandas.version": "2.2.0",
    }
    assert read("compiled.txt").coverage.complete == {"packages"}


def test_pip_inspect() -> None:
    assert facts("inspect.json") == {
        "python.version": "3.11.8",
        "python.implementation": "cpython",
        "system.architecture": "x86_64",
        "system.os": "linux",
        "packages.foo-bar-baz.version": "1.0",
        "packages.gamma.version": "0.3",
        "packages.gamma.url": "git+https://github.com/o/gamma",
        "packages.gamma.commit": COMMIT,
        "packages.gamma.source": f"commit:{COMMIT}",
    }


def test_conda_environment_by_hand() -> None:
    assert facts("environment.yml") == {
        "python.version": "3.11",
        "conda.python.version": "3.11",
        "conda.numpy.version": "1.26.4",
        "packages.torch.version": "2.1.0",
    }
    coverage = read("environment.yml").coverage
    assert coverage.complete == frozenset()
    assert ("python", "version") in coverage.prefixes


def test_conda_environment_exported() -> None:
    found = facts("exported.yml")
    assert found["conda.numpy.build"] == "py311h64a7726_0"
    assert found["conda._libgcc_mutex.version"] == "0.1"
    assert read("exported.yml").coverage.complete == {"conda"}


def test_conda_explicit() -> None:
    found = facts("explicit.txt")
    assert found["conda.numpy.version"] == "1.26.4"
    assert found["conda.numpy.build"] == "py311h64a7726_0"
    assert found["conda.numpy.md5"] == "a502d7aad449a1206efb366d6a12c52d"
    assert found["conda.numpy.channel"] == "https://conda.anaconda.org/conda-forge"
    assert found["conda.own-tool.version"] == "2.0"
    assert found["python.version"] == "3.11.8"
    assert found["system.architecture"] == "x86_64"


def test_notebook() -> None:
    assert facts("notebook.json") == {
        "python.version": "3.10.12",
        "packages.torch.version": "2.1.0+cu121",
        "packages.transformers.version": "4.36.0",
        "system.os": "linux",
        "system.architecture": "x86_64",
        "system.libc": "glibc 2.35",
        "hardware.gpu.models": ("Tesla T4",),
        "hardware.cuda.compiled.torch": "12.1",
    }


@pytest.mark.parametrize("name", ["wandb/wandb-metadata.json", "wandb/requirements.txt"])
def test_wandb(name: str) -> None:
    found = facts(name)
    assert found["packages.numpy.version"] == "1.26.4"
    assert found["python.version"] == "3.10.12"
    assert found["hardware.gpu.models"] == ("Tesla T4",)
    assert found["hardware.gpu.cuda_driver"] == "12.2"
    assert read(name).coverage.complete == {"packages"}
    assert not any("vm-17" in str(value) or "ada" in str(value) for value in found.values())


@pytest.mark.parametrize("name", ["mlflow/python_env.yaml", "mlflow/requirements.txt"])
def test_mlflow(name: str) -> None:
    found = facts(name)
    assert found["python.version"] == "3.10.12"
    assert found["packages.scikit-learn.version"] == "1.4.0"
    assert read(name).coverage.complete == frozenset()


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.*")), ids=lambda path: path.name)
def test_credentials_are_nobodys_business(path: Path) -> None:
    assert "secret" not in repr(read(str(path.relative_to(DATA))).facts)


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.*")), ids=lambda path: path.name)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_torn_document_is_a_clear_error_or_says_less(path: Path, share: float) -> None:
    data = path.read_bytes()
    try:
        foreign.read(path.name, data[: int(len(data) * share)], {}, path.name)
    except EnvstageError as error:
        assert path.name in str(error)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.json", b"[1, 2]"),
        ("x.json", b'{"packages": [1]}'),
        ("x.bin", b"\0\1\2"),
        ("x.html", b"<html>"),
        ("environment.yml", b"dependencies: {a: &a [*a]}"),
        ("environment.yml", b"dependencies:\n" + b"- [" * 5000),
        ("notes.md", b"# Hello\nThis is text, and no list.\n"),
    ],
)
def test_what_is_none_of_them(name: str, data: bytes) -> None:
    with pytest.raises(EnvstageError):
        foreign.read(name, data, {}, name)
