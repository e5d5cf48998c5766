"""The API for training scripts and notebooks: the same engine, called instead of run.

The environment described is always that of the running interpreter (`sys.executable`), probed in
a process of its own as every other one is.
"""
