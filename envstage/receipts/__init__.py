"""Receipts: the evidence of one run of a stage's command, written by `envstage run --receipt`."""
