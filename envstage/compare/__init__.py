"""Differences between snapshots and views, as values: pure, no files, no printing."""
