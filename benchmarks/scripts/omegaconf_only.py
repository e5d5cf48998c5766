"""Configuration with OmegaConf alone."""

from omegaconf import OmegaConf

print(OmegaConf.merge({"a": 1}, OmegaConf.create("b: ${a}")).b)
