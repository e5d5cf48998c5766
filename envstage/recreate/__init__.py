"""Rebuild an environment from its snapshot, compare what was built, and prove it."""
