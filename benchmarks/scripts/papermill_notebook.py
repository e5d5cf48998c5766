"""A notebook run by papermill: the kernel is a process of its own."""
# command: papermill analysis.ipynb out.ipynb -k python3 --no-progress-bar
