"""Measurements that the documentation quotes; each command prints its table."""
