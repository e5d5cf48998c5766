"""A hydra application: configuration, plugins found by walking a namespace."""

import hydra
from omegaconf import DictConfig, OmegaConf


@hydra.main(version_base=None, config_path=None)
def main(config: DictConfig) -> None:
    print(OmegaConf.to_yaml(config))


main()
