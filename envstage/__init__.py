"""envstage: software environments as first-class nodes of machine-learning pipelines."""

__version__ = "0.1.0"


def snakefile() -> str:
    """The path of the provided Snakemake rule, for `include:` or `module`."""
    from envstage.pipelines.templates import template_path

    return template_path("snakemake", "Snakefile")
