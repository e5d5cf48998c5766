"""A script that starts another Python."""

import subprocess
import sys

code = "import polars; print(polars.DataFrame({'a': [1]}).height)"
subprocess.run([sys.executable, "-c", code], check=True)
