"""A script that becomes another Python."""

import os
import sys

import tomli

print(tomli.__name__, flush=True)
os.execv(sys.executable, [sys.executable, "-c", "import yaml; print(yaml.__name__)"])
