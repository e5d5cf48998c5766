"""Views: which facts one stage depends on, as a file that DVC and Snakemake can hash.

The one mechanism for both engines: selection, tolerance, projection, and the document.
"""
