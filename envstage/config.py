"""What a user can set, with its defaults; `config_file` reads it."""

import re
from typing import Final

import msgspec

from envstage import layout
from envstage.errors import EnvstageError
from envstage.snapshot.model import Level
from envstage.yaml_node import nearest

COLUMNS_AT_MOST: Final = 8
TOLERANCES: Final = ("exact", "major.minor", "major", "ignore")
ON_MISMATCH: Final = ("refuse", "warn", "record")
ON_DRIFT: Final = ("fail", "warn")
DEFAULT_COLUMNS: Final = (
    "python.version",
    "system.distribution",
    "hardware.gpu.models",
    "hardware.gpu.driver",
)
# A name is a file name, a wildcard in a Snakefile and a word on the command line.
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter and the machines that it belongs to."""

    name: str = layout.MAIN
    python: str = "auto"
    level: Level = Level.PLATFORM
    where: tuple[tuple[str, str], ...] = ()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Which facts one stage depends on."""

    name: str
    environment: str = layout.MAIN
    level: Level | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tolerance: tuple[tuple[str, str], ...] = ()


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """What `envstage run` does unless its flags say otherwise."""

    on_mismatch: str = "refuse"
    on_drift: str = "fail"
    observe: bool = True


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a user can set, with its defaults."""

    source: str = ""
    environments: tuple[Environment, ...] = (Environment(),)
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    watch: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    image: str | None = None
    verify: bool = False
    timeout_s: int = 60
    guard: Guard = Guard()
    views: tuple[View, ...] = ()

    def environment(self, name: str) -> Environment:
        """The environment of that name."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        raise _unknown("environment", name, [each.name for each in self.environments], self.source)

    def view(self, name: str) -> View:
        """The view of that name."""
        for view in self.views:
            if view.name == name:
                return view
        raise _unknown("view", name, [each.name for each in self.views], self.source)

    def views_of(self, environment: str) -> tuple[View, ...]:
        """The views that project the snapshot of an environment."""
        return tuple(view for view in self.views if view.environment == environment)


def _unknown(kind: str, name: str, known: list[str], source: str) -> EnvstageError:
    listed = ", ".join(known) if known else "none"
    near = nearest(name, known)
    return EnvstageError(
        f"there is no {kind} `{name}` (there: {listed})",
        where=source or layout.CONFIG_FILE,
        fix=near,
    )
