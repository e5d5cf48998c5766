"""envstage: software environments as first-class nodes of machine-learning pipelines."""

__version__ = "0.1.0"
