"""Versions are looked up; the packages are never imported."""

from importlib.metadata import PackageNotFoundError, version

print(version("numpy"), version("Jinja2"))
try:
    version("not-installed-anywhere")
except PackageNotFoundError:
    print("absent")
