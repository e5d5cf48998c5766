"""The packages of the truth table: small wheels with the import structure of those they stand for.

| here | stands for | what it has of it |
| --- | --- | --- |
| arrays | NumPy | below most others |
| framekit, dateparse, sixish, zones | pandas, dateutil, six, pytz | imported through others; an \
optional accelerator looked up in vain |
| learnkit, science, joblike, threadctl | scikit-learn, SciPy, joblib, threadpoolctl | compiled \
on this machine: threadctl |
| plotkit, cyclers | matplotlib, cycler | queries an entry-point group |
| summariser, clickish | a command line tool | reads its own metadata |
| nspkg-core | google-cloud-… | a namespace package |
| gpukit | a GPU framework | loads the driver's library |
"""

import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.wheels import build_wheel

NATIVE_TAG: Final = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """What a wheel of the table holds beside its version."""

    body: str = ""
    module: str = ""
    files: Mapping[str, str] = {}
    tag: str = "py3-none-any"
    requires: Sequence[str] = ()
    entry_points: str = ""
    description: str = ""


def _imports(*names: str) -> str:
    return "".join(f"import {name}\n" for name in names)


_OPTIONAL = "try:\n    import bottle\nexcept ImportError:\n    bottle = None\n"
_GROUP = (
    "from importlib.metadata import entry_points\n"
    "backends = sorted(each.name for each in entry_points(group='plotkit.backends'))\n"
)
_SCRIPT = """
import sys
import clickish
from importlib.metadata import version as version_of

def main():
    with open(sys.argv[1], "w") as file:
        file.write("summariser " + version_of("summariser") + "\\n")
"""
_LOADS_DRIVER = """
import ctypes

def start():
    library = ctypes.CDLL("libnvidia-ml.so.1")
    return library.nvmlInitWithFlags(0)
"""

PACKAGES: Final[Mapping[str, Package]] = {
    # Used
    "arrays": Package(files={"arrays/table.json": "{}"}),
    "framekit": Package(
        body=_imports("arrays", "dateparse") + _OPTIONAL, requires=("arrays", "tabletypes")
    ),
    "dateparse": Package(body=_imports("sixish", "zones")),
    "sixish": Package(module="sixish.py"),
    "zones": Package(),
    "learnkit": Package(body=_imports("arrays", "science", "joblike", "threadctl")),
    "science": Package(body=_imports("arrays")),
    "joblike": Package(),
    "threadctl": Package(tag=NATIVE_TAG, files={"threadctl/_native.so": "compiled once"}),
    "plotkit": Package(
        body=_imports("arrays", "cyclers") + _GROUP,
        entry_points="[plotkit.backends]\npaper = plotkit:paper\n",
    ),
    "cyclers": Package(),
    "backend-agg": Package(entry_points="[plotkit.backends]\nagg = backend_agg:agg\n"),
    "summariser": Package(
        body=_SCRIPT, entry_points="[console_scripts]\nsummarise = summariser:main\n"
    ),
    "clickish": Package(),
    "nspkg-core": Package(module="nspkg/core/__init__.py"),
    "gpukit": Package(body=_LOADS_DRIVER),
    # Not used
    "tabletypes": Package(),
    "webthing": Package(body=_imports("webcore")),
    "webcore": Package(),
    "linterish": Package(entry_points="[console_scripts]\nlinterish = linterish:main\n"),
    "pip": Package(),
    "setuptools": Package(),
    "wheel": Package(),
    "uv": Package(),
    # Not there at first
    "bottle": Package(),
    "bottle-fork": Package(module="bottle/__init__.py"),
    "jsonfast": Package(),
    "nspkg-extra": Package(module="nspkg/extra/__init__.py"),
    "notebookish": Package(body=_imports("webthing")),
    "testrunner": Package(entry_points="[testrunner11]\ncover = testrunner:cover\n"),
    "backend-new": Package(entry_points="[plotkit.backends]\nnew = backend_new:new\n"),
    "webplugin": Package(entry_points="[webthing.plugins]\nnew = webplugin:new\n"),
    "envstage": Package(requires=("encoderish",)),
    "encoderish": Package(),
}
INSTALLED: Final = tuple(PACKAGES)[: tuple(PACKAGES).index("bottle")]


def wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    code: str = "",
    extra: Mapping[str, str] | None = None,
    description: str = "",
    build: str = "",
) -> Path:
    """Build a wheel of the table in a folder of its own: the same version can exist twice.

    Args:
        code: text added to its module: another build of the version.
        extra: files in place of, or beside, those that it has.
        description: text of its METADATA.
        build: the build tag of the file's name.
    """
    package = PACKAGES[name]
    module = name.replace("-", "_")
    path = package.module or f"{module}/__init__.py"
    files = {path: f"version = {version!r}\n{package.body}{code}"}
    target = folder / str(len(list(folder.iterdir())))
    target.mkdir()
    return build_wheel(
        target,
        name,
        version,
        files={**files, **package.files, **(extra or {})},
        tag=package.tag,
        requires=package.requires,
        entry_points=package.entry_points,
        description=description,
        build=build,
    )


# A project that builds itself without an index: its backend is in the tree, and uses the
# standard library only. What it builds is byte for byte what `wheel` builds.
PROJECT_FILES: Final = {
    "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\n"
    "backend-path = ['.']\n[project]\nname = '{name}'\nversion = '1.0'\n",
    "backend.py": """\
import base64, hashlib, os, zipfile

NAME, SOURCE = {name!r}, {source!r}
MODULE = NAME.replace("-", "_")


def _write(folder, editable):
    info = MODULE + "-1.0.dist-info"
    here = os.path.dirname(os.path.abspath(__file__))
    content = {{}}
    if editable:
        content["__editable__." + MODULE + ".pth"] = os.path.join(here, SOURCE).encode()
    else:
        base = os.path.join(here, SOURCE)
        for parent, _, names in os.walk(os.path.join(base, MODULE)):
            for name in names:
                path = os.path.join(parent, name)
                if "__pycache__" not in path:
                    with open(path, "rb") as file:
                        content[os.path.relpath(path, base)] = file.read()
    content[info + "/METADATA"] = (
        "Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n" % NAME).encode()
    content[info + "/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: tree\\nRoot-Is-Purelib: true\\n" \\
        b"Tag: py3-none-any\\n"
    rows = []
    for path, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d" % (path, digest, len(data)))
    rows.append(info + "/RECORD,,")
    content[info + "/RECORD"] = ("\\n".join(rows) + "\\n").encode()
    name = MODULE + "-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, data in content.items():
            archive.writestr(path, data)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _write(wheel_directory, False)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write(wheel_directory, True)
""",
    "README.md": "{name}\n",
}


def project(folder: Path, name: str, files: Mapping[str, str], *, source: str = "src") -> Path:
    """Write a project that pip and uv can build, editable or not; `source` holds its packages."""
    for path, text in {**PROJECT_FILES, **{f"{source}/{key}": files[key] for key in files}}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        in_tree = path in PROJECT_FILES
        target.write_text(text.format(name=name, source=source) if in_tree else text)
    return folder


def module_text(name: str, version: str = "1.0") -> str:
    """The text of a package's module as its wheel has it."""
    return f"version = {version!r}\n{PACKAGES[name].body}"
