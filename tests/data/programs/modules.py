"""Programs that take the import system into their own hands."""

import sys

kind = sys.argv[1]
if kind == "replaced":
    sys.modules = dict(sys.modules)
if kind == "cleared":
    kept = {name: sys.modules[name] for name in ("sys", "builtins", "__main__")}
    sys.modules.clear()
    sys.modules.update(kept)
if kind == "finders":
    sys.meta_path[:] = [each for each in sys.meta_path if isinstance(each, type)]
if kind == "itself":
    sys.modules[__name__] = sys.modules["sys"]
import json  # noqa: E402
import wave  # noqa: E402

print(json.dumps([1, 2]), wave.__name__)
