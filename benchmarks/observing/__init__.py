"""Observed views against an independent truth: the parts of `benchmarks.observed`."""
