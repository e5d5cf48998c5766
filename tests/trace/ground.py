"""A project with everything around it that a capture reads, all of it in one folder, to change."""

import os
import random
import shutil
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest

from envstage import config_cache, interpreter
from envstage.facets import cpu, cuda, gpu, nvml, os_packages, system, threads
from envstage.trace import questions
from envstage.views.selection import Selection
from tests.trace.conftest import Traced
from tests.wheels import Venv, build_wheel

CONFIGURATIONS = (
    "views:\n  train: {}\n",
    "environments: {main: {level: hardware}}\nviews:\n  train: {}\n  eval: {level: software}\n",
    "variables: {watch: [MY_*]}\nviews:\n  train: {include: [system.packages.*, system.kernel]}\n",
    "views:\n  train: {exclude: [python.*, packages.*, conda.*]}\n",
    "environments:\n  main: {python: auto}\n  other: {python: ../bin/wrapped, level: hardware}\n"
    "views:\n  train: {}\n  other: {environment: other}\n",
    "environments: {main: {python: ../bin/wrapped}}\ncolumns: [packages.alpha.version]\n"
    "views:\n  train: {tolerance: {packages.alpha: major}}\n",
    "environments: {main: {where: {system.distribution: deb*, packages.alpha.version: '*'}}}\n"
    "views:\n  train: {}\n",
    "environments: {main: {python: envs/train.yaml}}\nviews:\n  train: {}\n",
    "tools: [wanted]\nenvironments: {main: {python: ~/bin/python}}\nviews:\n  train: {}\n",
)
NAMES = ("alpha", "beta", "helper", "pack", "pack.inner", "space", "six", "json", "nobody", "egg")
SELECTIONS = (
    Selection(packages=frozenset({"alpha", "beta"}), modules=frozenset(NAMES)),
    Selection(packages=frozenset({"alpha"}), entry_points=frozenset({"tools", "*"})),
    Selection(packages=frozenset({"beta", "gamma"}), providers=frozenset({"alpha", "*"})),
    Selection(modules=frozenset(NAMES), files=frozenset({"$ENVIRONMENT/bin/tool", "~/loose.py"})),
    Selection(metadata=frozenset({"alpha"}), uses_gpu=True, uses_programs=True),
)
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\n'
DPKG = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n"
CPUINFO = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: One 1\nflags\t\t: fpu sse2\n"
PLACES = {
    (os_packages, "DPKG_STATUS"): "dpkg/status",
    (os_packages, "DPKG_FOLDER"): "dpkg/status.d",
    (nvml, "LOADER_CACHE"): "ld.so.cache",
    (gpu, "DRIVER_FOLDER"): "proc/driver/nvidia",
    (gpu, "CONTROL_NODE"): "dev/nvidiactl",
    (gpu, "AMD_NODE"): "dev/kfd",
    (gpu, "PCI_DEVICES"): "sys/pci",
    (cuda, "TOOLKIT"): "cuda",
    (cpu, "CPUINFO"): "cpuinfo",
    (threads, "CGROUP_ROOT"): "cgroup",
}


class Ground:
    """The project `project` in `base`, and what is around it; changed by `rng`."""

    def __init__(self, base: Path, rng: random.Random, patch: pytest.MonkeyPatch) -> None:
        self.base = base
        self.rng = rng
        self.system = base / "system"
        self.extra = base / "extra"
        self.wheelhouse = base / "wheelhouse"
        self.back: list[Callable[[], object]] = []
        for folder in ("system/dpkg/status.d", "system/cuda", "extra", "wheelhouse", "bin", "more"):
            (base / folder).mkdir(parents=True)
        self.venv = Venv.at(base / "venv")
        self.clock_ns = 0
        self.project = Traced(base / "project", self.venv, self.wheelhouse)
        self.project.root.mkdir()
        self.wheels = tuple(_wheels(self.wheelhouse))
        _fill(self)
        self._place(patch)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.root

    @property
    def site(self) -> Path:
        """The site-packages of the project's interpreter."""
        return self.venv.site

    def _place(self, patch: pytest.MonkeyPatch) -> None:
        """This folder's system in the place of the machine's, and files that settle at once."""
        for (module, name), place in PLACES.items():
            patch.setattr(module, name, str(self.system / place))
        patch.setattr(system, "OS_RELEASE", (str(self.system / "os-release"),))
        patch.setattr(os_packages, "APK_DATABASES", (str(self.system / "apk"),))
        patch.setattr(nvml, "FOLDERS", ())
        patch.setattr(cuda, "SYSTEM_FOLDERS", (str(self.system / "lib"),))
        now_ns = time.time_ns
        patch.setattr(time, "time_ns", lambda: now_ns() + self.clock_ns)
        patch.setattr(questions, "SETTLED_NS", 0)
        patch.setattr(interpreter, "SETTLED_NS", 0)
        patch.setattr(config_cache, "_YOUNG_NS", 0)
        home = self.base / "home"
        home.mkdir(exist_ok=True)
        patch.setenv("HOME", str(home))
        patch.setenv("ENVSTAGE_CACHE", str(self.base / "cache"))
        patch.setenv("PATH", f"{self.venv.bin}{os.pathsep}{os.environ['PATH']}")
        patch.chdir(self.root)

    def unpack(self, wheel: Path) -> None:
        """What an installer does, in a hundredth of its time."""
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            info = next(name for name in names if name.endswith("METADATA")).partition("/")[0]
            self.remove(info.partition("-")[0])
            archive.extractall(self.site)
        (self.site / info / "INSTALLER").write_text("hand\n")

    def remove(self, name: str) -> None:
        """What an uninstaller does."""
        for path in [self.site / name, *self.site.glob(f"{name}-*-info")]:
            with suppress(OSError):
                shutil.rmtree(path)

    def take_back(self) -> None:
        """Everything that is known how, the last first; then what a healthy project needs."""
        while self.back:
            with suppress(OSError, LookupError):
                self.back.pop()()
        self.clock_ns = 0
        shutil.rmtree(self.venv.folder, ignore_errors=True)
        for name in ("params.yaml", ".envstage/workflow.json", "../envstage.yaml"):
            (self.root / name).unlink(missing_ok=True)
        _equip(self)

    def existing(self, *patterns: str) -> list[Path]:
        """The files that there are, by patterns below the ground's folder."""
        found = {path for pattern in patterns for path in self.base.glob(pattern)}
        return sorted(path for path in found if path.is_file())


def _wheels(folder: Path) -> Iterable[Path]:
    points = "[tools]\nmain = beta:main\n"
    yield build_wheel(folder, "alpha", "1.0")
    yield build_wheel(folder, "alpha", "1.0", build="1", files={"alpha/__init__.py": "other = 1\n"})
    yield build_wheel(folder, "alpha", "1.1", requires=["beta"])
    yield build_wheel(folder, "beta", "1.0", entry_points=points)
    yield build_wheel(folder, "beta", "2.0", entry_points=points.replace("main", "mine"))
    native = {"delta/_native.cpython-311-x86_64-linux-gnu.so": "\x7fELF", "delta/__init__.py": ""}
    yield build_wheel(folder, "delta", "1.0", tag="cp311-cp311-linux_x86_64", files=native)
    yield build_wheel(folder, "epsilon", "1.0", files={"space/epsilon.py": "e = 1\n"})
    yield build_wheel(folder, "torch", "2.0", files={"torch/version.py": "cuda = '12.1'\n"})


def _equip(ground: Ground) -> None:
    """The interpreter, its packages, ways to start it, and one of the configurations."""
    Venv(ground.venv.folder)
    ground.project.write("envstage.yaml", ground.rng.choice(CONFIGURATIONS))
    ground.project.write("envs/train.yaml", "dependencies: [python]\n")
    conda = ground.root / ".snakemake/conda"
    for path in (
        ground.base / "bin/wrapped",
        ground.base / "home/bin/python",
        conda / "1_/bin/python",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{ground.venv.python}" "$@"\n')
        path.chmod(0o755)
    (conda / "1_.yaml").write_text("dependencies: [python]\n")
    (conda / "1_.env_setup_done").write_text("")
    for wheel in (ground.wheels[0], ground.wheels[3]):
        ground.unpack(wheel)
    ground.venv.install_direct(build_wheel(ground.wheelhouse, "gamma", "1.0"))
    (ground.site / "extra.pth").write_text(f"{ground.extra}\n")
    (ground.venv.bin / "tool").write_text(f"#!{ground.venv.python}\n")


def _fill(ground: Ground) -> None:
    _equip(ground)
    write = ground.project.write
    write("train.py", "import alpha\n")
    write("lib/helper.py", "helper = 1\n")
    write("pyproject.toml", '[project]\nname = "ours"\n')
    for name in ("helper.py", "pack/__init__.py", "pack/inner.py", "space/one.py"):
        path = ground.extra / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("value = 1\n")
    (ground.system / "os-release").write_text(OS_RELEASE)
    (ground.system / "dpkg/status").write_text(DPKG)
    (ground.system / "cpuinfo").write_text(CPUINFO)
    (ground.system / "cuda/version.json").write_text('{"cuda": {"version": "12.4.1"}}')
    for words in ("init -q -b main", "add -A", "commit -qm start"):
        ground.project.git(*words.split())
