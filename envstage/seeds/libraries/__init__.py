"""One module a library: its global generators and its switches for determinism."""
