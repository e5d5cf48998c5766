"""Two clones, two environments, one run cache: is a result restored that does not belong here?

    python -m benchmarks.sharing --steps 200 --seed 1

Both clones change code and environment at random, reproduce, and share through a DVC remote
(`push --run-cache`, `pull --run-cache`) and Git. The stage's output says what it really used.
After every reproduction it must be what the same code computes here and now, without envstage:
a restored result whose run used another value of anything shows at once.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.e2e.pipeline import Pipeline
from tests.wheels import Venv, build_wheel

_HEAD: Final = """\
import sys
from importlib import metadata

found = [__debug__]
"""
_TAIL: Final = "\nwith open(sys.argv[1], 'w') as file:\n    print(*found, file=file)\n"
_ALPHA: Final = "import alpha\nfound += ['alpha', alpha.version, alpha.delta]\n"
CODES: Final = (
    _ALPHA,
    _ALPHA + "import beta\nfound += ['beta', beta.version]\n",
    _ALPHA + "try:\n    import gamma\n    found += ['gamma', gamma.version]\n"
    "except ImportError:\n    found += ['no gamma']\n",
    _ALPHA + "found += ['beta of', metadata.version('beta')]\n",
    "found += sorted(each.value for each in metadata.entry_points(group='walk.plugins'))\n",
    "import os\nimport beta\nfound += [beta.version, os.environ.get('MY_FLAG')]\n",
)
# It looks for `delta`, which is never installed but may lie on PYTHONPATH.
_ALPHA_MODULE: Final = (
    "version = {version!r}\ntry:\n    from delta import version as delta\n"
    "except ImportError:\n    delta = None\n"
)
DVC_YAML: Final = """\
stages:
  train:
    cmd: python train.py model.txt
    deps:
    - train.py
    outs:
    - model.txt
"""
_VERSIONS: Final = ("1.0", "2.0", "3.0")


class UnsoundError(AssertionError):
    """A result that this machine would not have computed."""


class Walk:
    """A random walk of two clones.

    Args:
        base: an empty folder.
        seed: of the walk; the same one gives the same steps.
    """

    def __init__(self, base: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.base = base
        self.counts: Counter[str] = Counter()
        first = Pipeline(base)
        self.clones = [first]
        self._wheels = base / "wheels"
        self._wheels.mkdir()
        self._create(first)
        other = first.clone("other", venv=Venv(base / "other-venv"))
        other.environ = dict(first.environ)
        self.clones.append(other)
        self._equip(other)
        self.log: list[str] = []

    def steps(self, count: int) -> Iterator[str]:
        """Go on; a line for each step.

        Raises:
            UnsoundError: with the steps that led there.
        """
        actions: tuple[tuple[int, Callable[[int], str]], ...] = (
            (4, self._package),
            (3, self._code),
            (1, self._variable),
            (1, self._loose),
            (1, self._plugin),
            (2, self._take_over),
        )
        choices = [action for weight, action in actions for _ in range(weight)]
        for _ in range(count):
            machine = self.random.randrange(2)
            done = self.random.choice(choices)(machine)
            line = f"clone {machine}: {done}, {self._reproduce(machine)}"
            self.log.append(line)
            yield line

    def _create(self, clone: Pipeline) -> None:
        clone.environ |= {
            "HOME": str(self.base),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "DVC_NO_ANALYTICS": "1",
            **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
        }
        clone.create(DVC_YAML, **{"train.py": _HEAD + CODES[0] + _TAIL})
        clone.write("envstage.yaml", "variables: {watch: [MY_FLAG]}\n")
        clone.run("dvc", "remote", "add", "-d", "store", str(self.base / "store"))
        self._equip(clone)
        clone.track("train")
        clone.repro()
        clone.commit("first run")

    def _equip(self, clone: Pipeline) -> None:
        for name in ("alpha", "beta"):
            self._install(clone, name, "1.0")

    def _install(self, clone: Pipeline, name: str, version: str) -> None:
        text = _ALPHA_MODULE if name == "alpha" else "version = {version!r}\n"
        points = f"[walk.plugins]\n{name} = {name}:v{version[0]}\n" if name == "plug" else ""
        wheel = build_wheel(
            self._wheels,
            name,
            version,
            files={f"{name}/__init__.py": text.format(version=version)},
            entry_points=points,
        )
        clone.venv.install(wheel)

    # What can happen

    def _package(self, machine: int) -> str:
        name = self.random.choice(("alpha", "beta", "gamma", "unused"))
        clone = self.clones[machine]
        if name == "gamma" and self.random.random() < 0.5:
            clone.venv.uninstall("gamma")
            return "gamma removed"
        version = self.random.choice(_VERSIONS)
        self._install(clone, name, version)
        return f"{name} {version}"

    def _plugin(self, machine: int) -> str:
        if self.random.random() < 0.5:
            self.clones[machine].venv.uninstall("plug")
            return "plugin removed"
        version = self.random.choice(_VERSIONS)
        self._install(self.clones[machine], "plug", version)
        return f"plugin {version}"

    def _code(self, machine: int) -> str:
        number = self.random.randrange(len(CODES))
        self.clones[machine].write("train.py", _HEAD + CODES[number] + _TAIL)
        return f"code {number}"

    def _variable(self, machine: int) -> str:
        name = self.random.choice(("PYTHONOPTIMIZE", "MY_FLAG"))
        value = self.random.choice(("", "1"))
        environ = self.clones[machine].environ
        environ.pop(name, None)
        if value:
            environ[name] = value
        return f"{name}={value}"

    def _loose(self, machine: int) -> str:
        clone = self.clones[machine]
        folder = self.base / f"loose-{machine}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        clone.environ["PYTHONPATH"] = str(folder)
        name = self.random.choice(("delta", "beta", "unlooked", ""))
        if name:
            version = self.random.choice(_VERSIONS)
            (folder / f"{name}.py").write_text(f"version = 'loose {version}'\n")
        return f"loose {name or 'nothing'}"

    def _take_over(self, machine: int) -> str:
        """Take the other clone's commit, its views and its dvc.lock among it."""
        other = self.clones[1 - machine]
        other.commit("work")
        clone = self.clones[machine]
        clone.run("git", "fetch", "-q", str(other.root), "main")
        clone.run("git", "reset", "-q", "--hard", "FETCH_HEAD")
        return "the other's commit"

    # What must hold

    def _reproduce(self, machine: int) -> str:
        clone = self.clones[machine]
        if self.random.random() < 0.8:
            clone.run("dvc", "pull", "-q", "--run-cache", code=None)
        output = clone.repro()
        what = "kept"
        if "train" in clone.ran(output):
            what = "ran"
        elif "Stage 'train' is cached" in output:
            what = "restored"
        self.counts[what] += 1
        if self.random.random() < 0.8:
            clone.run("dvc", "push", "-q", "--run-cache")
        self._require_own_result(clone, what, output)
        return what

    def _require_own_result(self, clone: Pipeline, what: str, output: str) -> None:
        clone.run("python", "train.py", str(self.base / "expected.txt"))
        expected = (self.base / "expected.txt").read_text()
        found = clone.read("model.txt")
        if found != expected:
            steps = "\n".join(self.log[-20:])
            raise UnsoundError(
                f"{what}: {found!r}, and this machine computes {expected!r}\n{steps}\n{output}\n"
                f"{clone.read('environment/views/train.json')}"
            )


def main() -> int:
    """Walk; 1 where a result did not belong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharing", description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sharing-") as folder:
        walk = Walk(Path(folder), arguments.seed)
        try:
            for line in walk.steps(arguments.steps):
                print(line, flush=True)
        except UnsoundError as error:
            print(error, file=sys.stderr)
            return 1
    print(", ".join(f"{count} {what}" for what, count in sorted(walk.counts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
