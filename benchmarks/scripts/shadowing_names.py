"""A module of the project has the name of an installed distribution."""

import pathlib
import sys

pathlib.Path("yaml.py").write_text("NAME = 'mine'\n")
sys.path_importer_cache.clear()

import tomli  # noqa: E402
import yaml  # noqa: E402

print(yaml.NAME, tomli.__name__)
