"""Software environments as first-class nodes of machine-learning pipelines.

In a pipeline, the command `envstage` does the work. This is for training scripts and notebooks:

The environment
    capture()                       this interpreter and machine; a card in notebooks
    capture_environment()           the same as a plain dict
    save_environment_snapshot()     requirements.txt, environment.json, REPRODUCE.md
    compare_environments()          what differs between two environment.json
    log_environment_to_wandb()      an artifact and the run's config (likewise: mlflow, dvclive)

Randomness
    set_random_seed()               Python, NumPy, PyTorch, TensorFlow, JAX; deterministic mode
    seed_worker()                   for DataLoader(worker_init_fn=...)
    create_seeded_generator()       for DataLoader(generator=...)
    runtime_state()                 what is in effect now: seeds, determinism, threads, TF32
    save_rng_state()                the state of the generators, to go on from
    restore_rng_state()

In a Snakefile
    snakefile()                     the provided rule: include: envstage.snakefile()

In IPython and Jupyter
    %load_ext envstage              then %envstage, and %envstage diff REF

Importing envstage imports nothing but itself: each name is loaded when it is first used. No
framework is ever imported that the program has not imported or asked for.
"""

__version__ = "0.1.0"

# `typing` costs more than all the rest of this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from envstage.errors import EnvstageError
    from envstage.notebook.captured import capture
    from envstage.notebook.comparison import compare_environments
    from envstage.notebook.environment import capture_environment, save_environment_snapshot
    from envstage.notebook.magics import load_ipython_extension
    from envstage.seeds.generators import create_seeded_generator, seed_worker
    from envstage.seeds.rng_file import restore_rng_state, save_rng_state
    from envstage.seeds.runtime import runtime_state
    from envstage.seeds.setting import set_random_seed
    from envstage.trackers.dvclive import log_environment_to_dvclive
    from envstage.trackers.mlflow import log_environment_to_mlflow
    from envstage.trackers.wandb import log_environment_to_wandb

__all__ = [
    "EnvstageError",
    "capture",
    "capture_environment",
    "compare_environments",
    "create_seeded_generator",
    "load_ipython_extension",
    "log_environment_to_dvclive",
    "log_environment_to_mlflow",
    "log_environment_to_wandb",
    "restore_rng_state",
    "runtime_state",
    "save_environment_snapshot",
    "save_rng_state",
    "seed_worker",
    "set_random_seed",
    "snakefile",
]

# Where each name is defined. `capture` is the package of that name, which can be called.
_MODULES = {
    "EnvstageError": "envstage.errors",
    "capture_environment": "envstage.notebook.environment",
    "compare_environments": "envstage.notebook.comparison",
    "create_seeded_generator": "envstage.seeds.generators",
    "load_ipython_extension": "envstage.notebook.magics",
    "log_environment_to_dvclive": "envstage.trackers.dvclive",
    "log_environment_to_mlflow": "envstage.trackers.mlflow",
    "log_environment_to_wandb": "envstage.trackers.wandb",
    "restore_rng_state": "envstage.seeds.rng_file",
    "runtime_state": "envstage.seeds.runtime",
    "save_environment_snapshot": "envstage.notebook.environment",
    "save_rng_state": "envstage.seeds.rng_file",
    "seed_worker": "envstage.seeds.generators",
    "set_random_seed": "envstage.seeds.setting",
}


if not TYPE_CHECKING:  # to a type checker, a name that is not above is an error

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used (PEP 562)."""
        import importlib

        if name == "capture":
            return importlib.import_module("envstage.capture")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(_MODULES[name]), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """The public names, loaded or not: for completion and `help()`."""
    return sorted({*__all__, "__version__", "__doc__", "__all__", "__path__", "__file__"})


def snakefile() -> str:
    """The path of the provided Snakemake rule, for `include:` or `module`."""
    import os

    package = os.path.dirname(os.path.abspath(__file__))
    # Inside the package once it is installed, beside it in a checkout.
    for folder in (package, os.path.dirname(package)):
        path = os.path.join(folder, "workflow_templates", "snakemake", "Snakefile")
        if os.path.isfile(path):
            return path
    raise FileNotFoundError("the Snakemake rule is missing: install envstage again")
