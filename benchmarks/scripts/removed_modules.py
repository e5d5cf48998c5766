"""A module is loaded, used, and taken out of sys.modules again."""

import sys

import tomli

print(tomli.loads("a = 1"))
for name in [each for each in sys.modules if each.startswith("tomli")]:
    del sys.modules[name]
