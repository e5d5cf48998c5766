"""The project's own packages by sys.path, as scripts do it."""

import pathlib
import sys

pathlib.Path("src/mine").mkdir(parents=True)
pathlib.Path("src/mine/__init__.py").write_text("import tqdm\n")
sys.path.insert(0, "src")

import mine  # noqa: E402

print(mine.tqdm.__name__)
