"""A Python behind a shell, in a pipe."""

import subprocess

command = "python -c 'import yaml; print(yaml.dump([1]))' | cat"
subprocess.run(command, shell=True, check=True)  # noqa: S602
