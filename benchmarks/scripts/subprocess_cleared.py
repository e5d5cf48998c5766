"""A Python started with an empty environment: the observer cannot reach it."""
# expected: wide

import subprocess
import sys

subprocess.run([sys.executable, "-c", "import yaml; print(yaml)"], env={}, check=True)
