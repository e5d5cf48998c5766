"""transformers without a model: lazy modules stay unloaded."""

from transformers import AutoConfig, GPT2Config

print(GPT2Config(n_layer=1).n_layer, AutoConfig.__name__)
