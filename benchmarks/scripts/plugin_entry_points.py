"""A host that loads its plugins by entry point, out of several groups."""

from importlib.metadata import entry_points

for point in sorted(entry_points(group="demo.plugins"), key=lambda each: each.name):
    print(point.name, point.load()())
