"""`%load_ext envstage`: the line magic `%envstage` for IPython and Jupyter."""

from typing import Any

from envstage.notebook.captured import Captured, Comparison, capture

_USAGE = "%envstage shows this environment as a card, %envstage diff REF what differs from REF"


def load_ipython_extension(ipython: Any) -> None:
    """Register `%envstage` and `%envstage diff REF`; IPython calls it on `%load_ext envstage`.

    Args:
        ipython: the running `InteractiveShell`.
    """
    ipython.register_magic_function(envstage, "line", "envstage")


def envstage(line: str) -> Captured | Comparison:
    """Show this environment, or with `diff REF` what differs from a file, commit or tracked run.

    Args:
        line: what stands behind `%envstage`: nothing, or `diff` and a REF (an environment.json, a
            Git revision, `mlflow:RUN_ID`, `mlflow:models:/NAME/VERSION`).

    Raises:
        UsageError: anything else stands there, or the REF names nothing.
    """
    from IPython.core.error import UsageError

    from envstage.errors import EnvstageError

    words = line.split()
    try:
        if not words:
            return capture()
        if words[0] == "diff" and len(words) == 2:
            return capture().diff(words[1])
    except EnvstageError as error:
        # IPython shows a UsageError as one line, anything else with its traceback.
        raise UsageError(str(error)) from None
    raise UsageError(_USAGE)
