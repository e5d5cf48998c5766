"""Threads that import at the same time."""

import importlib
from concurrent.futures import ThreadPoolExecutor

NAMES = ("yaml", "jinja2", "networkx", "tqdm", "rich.console", "requests")
with ThreadPoolExecutor(4) as executor:
    print([module.__name__ for module in executor.map(importlib.import_module, NAMES)])
