"""A module that is found, and loaded only if it is used."""

import importlib.util
import sys


def lazily(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


yaml, tomli = lazily("yaml"), lazily("tomli")
print(yaml.dump([1]))
