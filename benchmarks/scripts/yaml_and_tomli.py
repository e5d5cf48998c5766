"""Configuration files in YAML and TOML."""

import tomli
import yaml

print(yaml.safe_load("a: 1"), tomli.loads("b = 2"))
