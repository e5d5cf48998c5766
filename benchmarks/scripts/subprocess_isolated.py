"""A Python started with -I: the observer cannot reach it."""
# expected: wide

import subprocess
import sys

subprocess.run([sys.executable, "-I", "-c", "import yaml; print(yaml)"], check=True)
