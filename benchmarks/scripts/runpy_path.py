"""runpy runs another script of the project."""

import pathlib
import runpy

pathlib.Path("inner.py").write_text("import tqdm\nprint(tqdm.__version__)\n")
runpy.run_path("inner.py", run_name="__main__")
