"""`python -m` of an installed package."""
# command: python -m demo_train --epochs 1
