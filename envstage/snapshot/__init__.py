"""The document: facts and their outcomes, canonical JSON, reading it back, atomic files."""
