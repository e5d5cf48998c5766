"""Small packages of every kind of installation, made for the benchmark."""

from collections.abc import Mapping
from typing import Final

import msgspec


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel's files and entry points."""

    files: Mapping[str, str]
    entry_points: str = ""


WHEELS: Final[Mapping[str, Package]] = {
    "demo-train": Package(
        files={
            "demo_train/__init__.py": "",
            "demo_train/__main__.py": "from demo_train.cli import main\nmain()\n",
            "demo_train/cli.py": (
                "import typer\n\ndef train(epochs: int = 1) -> None:\n    print(epochs)\n\n"
                "def main() -> None:\n    typer.run(train)\n"
            ),
        },
        entry_points="[console_scripts]\ndemo-train = demo_train.cli:main\n",
    ),
    "demo-plugin-a": Package(
        files={"demo_plugin_a.py": "def run():\n    import tqdm\n    return tqdm.__name__\n"},
        entry_points="[demo.plugins]\na = demo_plugin_a:run\n",
    ),
    "demo-plugin-b": Package(
        files={"demo_plugin_b.py": "def run():\n    return 'b'\n"},
        entry_points="[demo.plugins]\nb = demo_plugin_b:run\n[demo.other]\nb = demo_plugin_b\n",
    ),
    "demo-plugin-c": Package(
        files={"demo_plugin_c.py": "import tqdm\n"},
        entry_points="[demo.other]\nc = demo_plugin_c\n[demo.pluggy]\nc = demo_plugin_c\n",
    ),
    "demo-space-alpha": Package(files={"demo_space/alpha.py": "NAME = 'alpha'\n"}),
    "demo-space-beta": Package(files={"demo_space/beta.py": "NAME = 'beta'\n"}),
}
_PROJECT: Final = """\
[build-system]
requires = ["{backend}"]
build-backend = "{module}"
[project]
name = "{name}"
version = "1.0"
"""
# Editable installs: hatchling puts the folder into a `.pth` file, setuptools installs a finder
# where the layout is not that of a `src` folder.
CHECKOUTS: Final[Mapping[str, Mapping[str, str]]] = {
    "demo-checkout": {
        "pyproject.toml": _PROJECT.format(
            backend="hatchling", module="hatchling.build", name="demo-checkout"
        ),
        "src/demo_checkout/__init__.py": "from .inner import NAME\n",
        "src/demo_checkout/inner.py": "NAME = 'checkout'\n",
    },
    "demo-finder": {
        "pyproject.toml": _PROJECT.format(
            backend="setuptools", module="setuptools.build_meta", name="demo-finder"
        )
        + '[tool.setuptools]\npackages = ["demo_finder"]\n',
        "demo_finder/__init__.py": "",
        "demo_finder/inner.py": "NAME = 'finder'\n",
    },
}
LOOSE: Final[Mapping[str, str]] = {"demo_loose.py": "NAME = 'loose'\n"}
