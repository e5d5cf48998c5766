"""The guard: a command observed, its view finalised to what it really used."""
