"""Snakemake on a real Slurm of two virtual nodes, on this machine."""
