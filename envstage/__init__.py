"""envstage: software environments as first-class nodes of machine-learning pipelines."""

__version__ = "0.1.0"


def snakefile() -> str:
    """The path of the provided Snakemake rule, for `include:` or `module`."""
    import os

    package = os.path.dirname(os.path.abspath(__file__))
    # Inside the package once it is installed, beside it in a checkout.
    for folder in (package, os.path.dirname(package)):
        path = os.path.join(folder, "workflow_templates", "snakemake", "Snakefile")
        if os.path.isfile(path):
            return path
    raise FileNotFoundError("the Snakemake rule is missing: install envstage again")
