"""Seeds, determinism, and what of them is in effect.

Nothing here imports a framework that the program has not imported or asked for by name. What a
generator of one library needs is in that library's module; `contract` says what they share.
"""
