"""Optional packages are looked for, and not loaded."""

import importlib.util

for name in ("polars", "numba", "tensorflow", "cupy"):
    print(name, importlib.util.find_spec(name) is not None)
