"""A tiny BERT built from its configuration: transformers looks at what is installed."""

import torch
from transformers import BertConfig, BertModel

config = BertConfig(
    vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
)
print(BertModel(config).eval()(torch.tensor([[1, 2, 3]])).last_hidden_state.shape)
