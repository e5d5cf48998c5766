"""Pipelines: the provided stage or rule, planned as edits that leave every other byte alone."""
