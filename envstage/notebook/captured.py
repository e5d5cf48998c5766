"""`envstage.capture()`: the running interpreter's environment, as an object with a card."""

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from envstage import layout
from envstage.notebook.card import card, comparison_table
from envstage.notebook.flat import OWN_KEY, flat
from envstage.notebook.running import look
from envstage.snapshot.document import snapshot_fingerprint
from envstage.snapshot.model import Facts, Snapshot
from envstage.world import Machine


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between an earlier environment and a later one; false where nothing does.

    Attributes:
        old, new: what was compared.
        rows: what differs and how (`("packages.numpy", "1.26.3 → 1.26.4 (upgrade)")`), the
            likeliest to matter first.
    """

    old: str
    new: str
    rows: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.rows)

    def __str__(self) -> str:
        """One line for each thing that differs."""
        if not self.rows:
            return f"No difference: {self.old} → {self.new}"
        width = min(max(len(subject) for subject, _ in self.rows), 40)
        return "\n".join(f"{subject:{width}}  {text}" for subject, text in self.rows)

    def _repr_html_(self) -> str:
        return comparison_table(self.old, self.new, self.rows)


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """One environment at one moment. In notebooks it shows itself as a card.

    Attributes:
        snapshot: the document of envstage's commands; `snapshot.facts` by address.
        info: the dict of `capture_environment()`.
    """

    snapshot: Snapshot
    info: Mapping[str, Any]
    directory: str = "."

    @property
    def fingerprint(self) -> str:
        """`e-` and 64 hexadecimal digits: the same for the same facts, wherever and whenever."""
        return snapshot_fingerprint(self.snapshot)

    @property
    def facts(self) -> Facts:
        """The facts by address: `facts["packages", "numpy", "version"]`."""
        return self.snapshot.facts

    def save(self, output_dir: str | os.PathLike[str] = "./environment") -> tuple[str, str, str]:
        """Write the three files of `save_environment_snapshot`; returns their paths."""
        from envstage.notebook.environment import save_environment_snapshot

        return save_environment_snapshot(self.info, output_dir)

    def diff(self, ref: str) -> Comparison:
        """What changed from `ref` to this environment.

        Args:
            ref: whatever `envstage diff` takes: an `environment.json`, a requirements.txt, a Git
                revision, `mlflow:RUN_ID` or `mlflow:models:/NAME/VERSION`.

        Raises:
            EnvstageError: nothing has that name, or it is no environment.
        """
        from envstage.notebook.differing import compared

        tooling = frozenset(self.info[OWN_KEY]["tooling"])
        return compared(ref, self.snapshot, self.directory, tooling)

    def __repr__(self) -> str:
        """One line: fingerprint, interpreter, packages, GPU."""
        info = self.info
        gpu = info["gpu_name"] or "no GPU"
        return (
            f"<environment {self.fingerprint[:14]}: Python {info['python_version_short']}, "
            f"{len(info['packages'])} packages, {gpu}>"
        )

    def _repr_html_(self) -> str:
        return card(self.fingerprint, self.snapshot.level.word, self.info)


def capture(environment: str = layout.MAIN, *, directory: str = ".") -> Captured:
    """Describe the running interpreter, its packages and this machine.

    The engine is that of `envstage capture`: the interpreter (`sys.executable`) is probed in a
    process of its own; no framework is imported, CUDA is not started, nothing is written.

    Args:
        environment: the environment of the project's configuration whose level and settings
            apply. Without a configuration every fact counts, up to the hardware.
        directory: where to look for the project, from there upward.

    Returns:
        The environment; its fingerprint is the one of the pipeline's snapshot where both have the
        same interpreter.

    Raises:
        CaptureError: the interpreter cannot be described.
        EnvstageError: the configuration is wrong, or has no such environment.
    """
    running = look(directory, environment)
    return Captured(
        snapshot=running.snapshot, info=flat(Machine(), running), directory=running.project.root
    )
