"""Experiment trackers, one module each: `interface` says what they have in common."""
