"""The console script of an installed package, written with typer."""
# command: demo-train --epochs 2
