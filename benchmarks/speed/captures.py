"""envstage's commands in an environment, and what people use instead."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.speed.environments import Environment, run
from benchmarks.speed.processes import Command

FREEZE: Final = "pip freeze"
PASS: Final = "python -c pass"
UNCHANGED: Final = "envstage capture, nothing changed"
CHANGED: Final = "envstage capture, a package changed"
_LOOP: Final = (
    "import importlib.metadata as m\n"
    "for each in m.distributions(): each.metadata['Name'], each.version"
)
_WORKING_SET: Final = "import wandb.util\nlist(wandb.util.working_set())"
_SAVE_MODEL: Final = (
    "import mlflow.sklearn, sklearn.linear_model as s, sys\n"
    "mlflow.sklearn.save_model(s.LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), sys.argv[1],"
    " serialization_format='cloudpickle')"
)
_INFER: Final = (
    "import mlflow.models, sys; mlflow.models.infer_pip_requirements(sys.argv[1], 'sklearn')"
)


def project_of(environment: Environment, name: str, *, verify: bool = False) -> Path:
    """A project with one wide view, captured and committed."""
    root = environment.folder / name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    text = "views:\n  train: {}\n" + ("verify: true\n" if verify else "")
    (root / "envstage.yaml").write_text(text)
    (root / ".gitignore").write_text(".envstage/\n")
    envstage = str(environment.bin / "envstage")
    run("git", "init", "-q", "-b", "main", cwd=root)
    run(envstage, "capture", cwd=root, environ=environment.environ)
    run("git", "add", "-A", cwd=root)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    run("git", *identity, "commit", "-qm", "captured", cwd=root)
    return root


def ours(environment: Environment) -> Iterator[Command]:
    """Every command that is run all the time."""
    root = project_of(environment, "project")
    other = project_of(environment, "changing")
    cold = project_of(environment, "cold")
    verified = project_of(environment, "verified", verify=True)
    program = str(environment.bin / "envstage")

    def command(name: str, *words: str, cwd: Path = root) -> Command:
        return Command(name=name, argv=(program, *words), cwd=cwd, environ=environment.environ)

    def forget(_: int) -> None:
        shutil.rmtree(environment.folder / "cold-cache", ignore_errors=True)
        shutil.rmtree(cold / ".envstage", ignore_errors=True)

    # In a folder of its own on the import path: the other commands see nothing of it.
    extra = environment.folder / "extra"
    info = extra / "coming_and_going-1.0.dist-info"

    def change(_: int) -> None:
        # A package comes, and goes the next time.
        if info.exists():
            shutil.rmtree(info)
            return
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: coming-and-going\nVersion: 1.0\n"
        )
        (info / "RECORD").write_text("coming_and_going.py,,\n")

    yield command(UNCHANGED, "capture")
    yield Command(
        name=CHANGED,
        argv=(program, "capture"), cwd=other, before=change,
        environ={**environment.environ, "PYTHONPATH": str(extra)},
    )  # fmt: skip
    yield Command(
        name="envstage capture, no caches",
        argv=(program, "capture"), cwd=cold, before=forget,
        environ={**environment.environ, "ENVSTAGE_CACHE": str(environment.folder / "cold-cache")},
    )  # fmt: skip
    yield command("envstage capture, verify: true", "capture", cwd=verified)
    yield command("envstage check", "check")
    yield command("envstage show", "show")
    yield command("envstage diff", "diff", "HEAD")


def others(environment: Environment) -> Iterator[Command]:
    """What peers do to describe an environment; those that are installed in it."""
    python, cwd = str(environment.python), environment.folder

    def command(name: str, *argv: str) -> Command:
        return Command(name=name, argv=argv, cwd=cwd, environ=environment.environ)

    def script(name: str, text: str) -> Command:
        return command(name, python, "-c", text)

    program = {name: str(environment.bin / name) for name in ("uv", "pipdeptree", "cyclonedx-py")}
    yield command(PASS, python, "-c", "pass")
    yield command(FREEZE, python, "-m", "pip", "freeze")
    yield command("pip inspect", python, "-m", "pip", "inspect")
    frozen = (program["uv"], "pip", "freeze", "--python", python)
    yield command("uv pip freeze", *frozen)
    yield command("uv pip freeze, no cache", *frozen, "--no-cache")
    yield script("importlib.metadata, names and versions", _LOOP)
    if environment.has("pipdeptree"):
        yield command("pipdeptree --json", program["pipdeptree"], "--json", "--python", python)
    if environment.has("cyclonedx-py"):
        yield command("cyclonedx-py environment", program["cyclonedx-py"], "environment", python)
    if environment.has("wandb"):
        yield script("wandb.util.working_set", _WORKING_SET)
    if environment.has("mlflow"):
        model = environment.folder / "model"
        if not model.exists():
            run(python, "-c", _SAVE_MODEL, str(model), environ=environment.environ)
        yield command("MLflow: infer a model's requirements", python, "-c", _INFER, str(model))
    if (environment.site / "torch").exists():
        yield command("torch.utils.collect_env", python, "-m", "torch.utils.collect_env")


def guarded(environment: Environment) -> Iterator[tuple[Command, Command, Command]]:
    """A program bare, guarded and observed, and guarded without being observed."""
    root = project_of(environment, "guarded")
    envstage, python = str(environment.bin / "envstage"), str(environment.python)
    programs = {"nothing": "pass", "import pandas": "import pandas", "import torch": "import torch"}
    for name, text in programs.items():
        if name != "nothing" and not (environment.site / name.split()[-1]).exists():
            continue

        def command(kind: str, *words: str, name: str = name, text: str = text) -> Command:
            argv = (*words, python, "-c", text)
            title = f"{name}: {kind}"
            return Command(name=title, argv=argv, cwd=root, environ=environment.environ)

        run_words = (envstage, "run", "--view", "train")
        yield (
            command("bare"),
            command("envstage run", *run_words, "--"),
            command("envstage run --no-observe", *run_words, "--no-observe", "--"),
        )
