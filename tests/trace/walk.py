"""A walk through environments: does a trace hold only where a whole capture says the same?

`python -m tests.trace.walk --seeds 1-50 --steps 60` walks for long. At every step something of
`mutations` happens, and `envstage capture`, with all that it remembers, is compared with one that
remembers nothing: what both say, their exit codes, and every file below `environment/`.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from envstage.capture.collect import collect
from envstage.capture.predict import predicted
from envstage.capture.recording import Recording
from envstage.config import Environment
from envstage.errors import EnvstageError
from envstage.project import Project, open_project
from envstage.runs.remembered import recall, remember
from envstage.trace import verify
from envstage.world import Machine
from tests.trace.conftest import Answer, without_caches
from tests.trace.ground import Ground
from tests.trace.mutations import MUTATIONS


class Walk:
    """A ground, what happened to it, and how often a trace held.

    Attributes:
        steps: what was done, in order.
        ready: how many times there was a trace before something happened.
        held: how many times it held after that.
    """

    def __init__(self, base: Path, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.steps: list[str] = []
        self.ready = 0
        self.held = 0
        self.ground = Ground(base, self.rng, patch)
        self.project = self.ground.project

    def step(self) -> None:
        """Something happens, and both captures must agree; `AssertionError` where they do not."""
        self._settle()
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            self._mutate()
        self._compare()

    def _settle(self) -> None:
        """Capture until there is a trace; where there is none for long, take everything back."""
        for attempt in range(6):
            if verify.unchanged(str(self.ground.root), os.environ) is not None:
                self.ready += 1
                break
            if attempt == 2:
                self.ground.take_back()
                self.steps.append("take back")
            self.project.answer()
        self._remember()

    def _mutate(self) -> None:
        weights, mutations = zip(*MUTATIONS, strict=True)
        mutation = self.rng.choices(mutations, weights)[0]
        name = getattr(mutation, "__qualname__", "").partition(".")[0]
        try:
            said = mutation(self.ground)
        except (OSError, LookupError, ValueError, AssertionError, EnvstageError) as error:
            said = f"impossible: {str(error)[:200]}"
        self.steps.append(f"{name} {said or ''}".strip())

    def _compare(self) -> None:
        root = str(self.ground.root)
        before = self.project.files()
        said = verify.unchanged(root, os.environ)
        self._compare_others()
        found = self.project.answer()
        anew = self.project.answer_anew()
        assert found.code == anew.code, self._report("another exit code", found, anew)
        assert _lines(found) == _lines(anew), self._report("other words", found, anew)
        assert found.files == anew.files, self._report("other files", found, anew)
        if said is not None:
            self.held += 1
            assert before == anew.files, self._report("a trace held", found, anew)
            told = [text if not is_note else f"envstage: {text}" for text, is_note in said]
            assert sorted(told) == sorted((anew.out + anew.err).splitlines()), self._report(
                "other words of a trace", found, anew
            )

    def _remember(self) -> None:
        """As the guard of a run does."""
        for opened, environment in _environments(self.ground.root):
            machine = Recording(os.environ)
            capture = collect(machine, opened.root, opened.config, environment)
            remember(machine, opened, environment, capture)

    def _compare_others(self) -> None:
        """What else a trace vouches for: the views for Snakemake, the facts for the guard."""
        for opened, environment in _environments(self.ground.root):
            recalled = recall(opened, environment, os.environ)
            self._compare_views(opened, environment.name)
            if recalled is None:
                continue
            with without_caches(self.ground.root):
                anew = collect(Machine(), opened.root, opened.config, environment)
            for name in ("facts", "anomalies", "problems"):
                one, other = getattr(recalled[0], name), getattr(anew, name)
                assert one == other, self._report(f"other {name}", one, other)

    def _compare_views(self, opened: Project, name: str) -> None:
        try:
            views = predicted(Machine(), opened, name)
        except EnvstageError:
            return
        with without_caches(self.ground.root):
            anew = predicted(Machine(), opened, name)
        assert anew == views, self._report("other views", views, anew)

    def _report(self, what: str, found: object, anew: object) -> str:
        steps = "\n".join(f"  {number}. {text}" for number, text in enumerate(self.steps))
        return f"seed {self.seed}: {what}\n{steps}\n{_shown(found, anew)}"


def _environments(root: Path) -> list[tuple[Project, Environment]]:
    try:
        with without_caches(root):
            opened = open_project(str(root))
    except EnvstageError:
        return []
    return [(opened, environment) for environment in opened.config.environments]


def _lines(answer: Answer) -> list[str]:
    """What was said; the first of two captures says `changed`, the second `unchanged`."""
    return [line.partition(")")[0] for line in (answer.out + answer.err).splitlines()]


def _shown(found: object, anew: object) -> str:
    if not isinstance(found, Answer) or not isinstance(anew, Answer):
        return f"{found}\n{anew}"
    names = [
        name
        for name in sorted({*found.files, *anew.files})
        if found.files.get(name) != anew.files.get(name)
    ]
    said = [f"{each.code} {each.out!r} {each.err!r}" for each in (found, anew)]
    return "\n".join([*said, *(f"{name} differs" for name in names)])


def walk(base: Path, seed: int, steps: int) -> Walk:
    """Walk so many steps in an empty folder."""
    with pytest.MonkeyPatch.context() as patch:
        kept = dict(os.environ)
        affinity = os.sched_getaffinity(0)
        here = os.getcwd()
        try:
            made = Walk(base, seed, patch)
            for _ in range(steps):
                made.step()
            return made
        finally:
            os.chdir(here)
            os.sched_setaffinity(0, affinity)
            os.environ.clear()
            os.environ.update(kept)


def main(argv: Sequence[str] | None = None) -> int:
    """Walk by many seeds; 1 where captures disagreed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-10", metavar="FROM-TO")
    parser.add_argument("--steps", type=int, default=40)
    arguments = parser.parse_args(argv)
    first, _, last = arguments.seeds.partition("-")
    failed = 0
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    for seed in range(int(first), int(last or first) + 1):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                found = walk(Path(folder).resolve(), seed, arguments.steps)
                took = time.monotonic() - began
                print(f"seed {seed}: {found.held} of {found.ready} traces held, {took:.0f} s")
            except AssertionError as error:
                failed = 1
                print(error)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
