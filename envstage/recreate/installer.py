"""uv, or pip where uv is not installed: what makes environments and installs into them.

Never the pip of the environment that is rebuilt: its version is part of what is brought back,
and an old one cannot install what is there today.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from envstage.errors import EnvstageError
from envstage.indexes import Indexes
from envstage.recreate.process import Finished, Progress, run
from envstage.recreate.programs import find_pip, find_uv
from envstage.world import World

_WANTS_CREDENTIALS: Final = re.compile(r"authentication credentials|\b40[13]\b")
# What would make an installer or an interpreter look at another environment than ours.
_DROPPED: Final = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX"),
    *("PIP_USER", "PIP_CONSTRAINT", "PIP_REQUIRE_VIRTUALENV", "UV_CONSTRAINT", "UV_OVERRIDE"),
    *("UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_EXCLUDE_NEWER", "PIP_NO_BINARY"),
    *("PIP_ONLY_BINARY", "UV_NO_BINARY", "UV_NO_BUILD", "PIP_PYTHON", "UV_PYTHON"),
)


class Installer(msgspec.Struct, frozen=True, kw_only=True):
    """A program that installs.

    Attributes:
        uv: uv's path; None where pip has to do.
        pip: the words that start pip.
    """

    uv: str | None = None
    pip: tuple[str, ...] = ()
    indexes: Indexes = Indexes()
    is_offline: bool = False
    environ: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        """`uv` or `pip`."""
        return "uv" if self.uv else "pip"

    def with_indexes(self, indexes: Indexes) -> "Installer":
        """The same, looking elsewhere."""
        return msgspec.structs.replace(self, indexes=indexes)

    def make(self, interpreter: str, folder: str, progress: Progress) -> Finished:
        """Make an empty environment: neither pip nor setuptools in it."""
        if self.uv:
            # The folder is there already, with the mark of what is not finished.
            argv = [self.uv, "venv", "--quiet", "--no-project", "--allow-existing"]
            argv += ["--python", interpreter, folder]
        else:
            argv = [interpreter, "-m", "venv", "--without-pip", folder]
        return run(argv, environ=self._environ(), progress=progress)

    def install(
        self,
        python: str,
        what: Sequence[str],
        progress: Progress,
        *,
        options: Sequence[str] = (),
        cwd: str | None = None,
    ) -> Finished:
        """Install into an environment, exactly what is named, without asking for more."""
        if self.uv:
            argv = [self.uv, "pip", "install", "--python", python, "--no-deps"]
            argv += ["--offline"] if self.is_offline else []
        else:
            argv = [*self.pip, "--python", python, "install", "--no-deps", "--no-input"]
            argv += ["--disable-pip-version-check", "--progress-bar", "off"]
        argv += self._options() + list(options) + list(what)
        return self._run_on_indexes(argv, progress, cwd)

    def lock(
        self, pins: Sequence[str], path: str, python: str | None, progress: Progress
    ) -> Finished:
        """Write a lock file (PEP 751) of exactly these pins; uv alone can."""
        listed = os.path.join(os.path.dirname(path), "pins.txt")
        with open(listed, "w", encoding="utf-8") as file:
            file.writelines(f"{pin}\n" for pin in pins)
        argv = [self.uv or "uv", "pip", "compile", "--no-deps", "--format", "pylock.toml"]
        argv += ["--no-header", "-q", "-o", path, listed]
        argv += ["--python-version", python] if python else []
        argv += ["--offline"] if self.is_offline else []
        argv += self._options()
        return self._run_on_indexes(argv, progress, None)

    def _run_on_indexes(self, argv: list[str], progress: Progress, cwd: str | None) -> Finished:
        """Run uv with the first index that knows a name; where that fails, with all of them.

        Not with all at once: uv then passes over an index that wants credentials without a word,
        and would take a public namesake (case 30). Not with the first only: it may know the
        name and lack the version. What was installed is compared with the snapshot afterwards.
        """
        done = run(argv, environ=self._environ(), progress=progress, cwd=cwd)
        is_one = not self.uv or self.indexes.is_disabled or not self.indexes.extra
        if done.returncode == 0 or is_one or _WANTS_CREDENTIALS.search(done.text):
            return done
        progress("the first index that knows a package lacks something: asking all of them")
        argv = [*argv, "--index-strategy", "unsafe-best-match"]
        return run(argv, environ=self._environ(), progress=progress, cwd=cwd)

    def _options(self) -> list[str]:
        """Places without credentials; those with any go through variables, which `ps` hides."""
        if self.indexes.is_disabled or (self.is_offline and not self.uv):
            return ["--no-index"]
        return []

    def _environ(self) -> dict[str, str]:
        environ = {key: text for key, text in self.environ.items() if key not in _DROPPED}
        indexes = self.indexes
        if self.uv:
            values = {
                "UV_DEFAULT_INDEX": indexes.default or "",
                "UV_INDEX": " ".join(indexes.extra),
                "UV_FIND_LINKS": ",".join(indexes.find_links),
            }
            dropped = {"UV_INDEX_URL", "UV_EXTRA_INDEX_URL"}
        else:
            values = {
                "PIP_INDEX_URL": indexes.default or "",
                "PIP_EXTRA_INDEX_URL": " ".join(indexes.extra),
                "PIP_FIND_LINKS": " ".join(indexes.find_links),
            }
            dropped = set()
        kept = {key: text for key, text in environ.items() if key not in {*values, *dropped}}
        return kept | {key: text for key, text in values.items() if text}


def find_installer(world: World, indexes: Indexes, *, is_offline: bool = False) -> Installer:
    """uv if it is installed, else a pip that is not the rebuilt environment's.

    Raises:
        EnvstageError: there is neither.
    """
    environ = world.environ
    uv = find_uv(world)
    if uv is not None:
        return Installer(uv=uv, indexes=indexes, is_offline=is_offline, environ=environ)
    pip = find_pip(world)
    if pip is not None:
        return Installer(pip=pip, indexes=indexes, is_offline=is_offline, environ=environ)
    raise EnvstageError(
        "neither uv nor pip (22.3 or newer) is there to install packages with",
        fix="pip install 'envstage[recreate]', or see https://docs.astral.sh/uv/",
    )
