"""Which distribution provides a module: one name of the whole mapping is asked for."""

from importlib.metadata import packages_distributions

print(packages_distributions()["yaml"], packages_distributions().get("absent"))
