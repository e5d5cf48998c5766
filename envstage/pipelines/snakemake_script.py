"""The guard for `script:` and `notebook:` rules, whose command is Snakemake's own.

A `shell:` rule names the guard before its command. The command of a Python script or notebook is
made by Snakemake and started through one method (`script/__init__.py`, `notebook.py`), in the
process that runs the job: here, or on a node. The guard is put before it there. What does not
look as it is known to look is left alone: such a job runs as ever, and its view stays wide.
"""

import functools
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from envstage import layout

# Not what lies in the workflow's folder under a name that envstage imports (`-P` is new in
# Python 3.11, which Snakemake needs itself).
ENVSTAGE: Final = (sys.executable, "-P", "-m", "envstage")
_SEEN_AS: Final = "_envstage_scripts"
# Not `jupyter notebook`, which `--edit-notebook` starts, nor the looks at PATH and versions.
_COMMANDS: Final = ("{py_exec} ", "papermill ", "jupyter-nbconvert ")
_KINDS: Final = ("PythonScript", "PythonJupyterNotebook")


class Scripts:
    """The scripts of one workflow whose rules depend on a view.

    Args:
        root: the project's folder.
        above: the way from Snakemake's folder up to it: empty, or `../`.
    """

    def __init__(self, root: str, above: str) -> None:
        self._root = os.path.abspath(root)
        name = r"[^/]+"
        self._view = re.compile(
            f"{re.escape(above)}{layout.FOLDER}(?:/{name})?/{layout.VIEWS}/({name})\\.json"
        )

    def guard(self, script: Any, cmd: str) -> str:
        """What to put before a script's command; empty where it cannot be observed."""
        is_here = script.container_img is None and script.env_modules is None and script.is_local
        if not is_here or type(script).__name__ not in _KINDS or not cmd.startswith(_COMMANDS):
            return ""
        views = {found[1] for each in script.input if (found := self._view.fullmatch(str(each)))}
        if len(views) != 1:
            return ""
        source = script.path.get_path_or_uri(secret_free=True)
        outputs = [str(each) for each in script.output]
        return self._words(views.pop(), source, outputs)

    def _words(self, view: str, source: str, outputs: Sequence[str]) -> str:
        words = [*ENVSTAGE, "run", "-C", self._root, "--view", view]
        words += ["--code", source, *(word for each in outputs for word in ("--output", each))]
        # Snakemake formats the whole.
        return f"{shlex.join(words)} -- ".replace("{", "{{").replace("}", "}}")


def observe_scripts(workflow: Any, scripts: Scripts) -> None:
    """Have the guard put before the scripts of a workflow."""
    if hasattr(workflow, _SEEN_AS):
        return
    from snakemake.script import ScriptBase

    start = getattr(ScriptBase, "_execute_cmd", None)
    if start is None:
        return
    setattr(workflow, _SEEN_AS, scripts)
    if not hasattr(start, _SEEN_AS):
        ScriptBase._execute_cmd = _guarding(start)


def _guarding(start: Callable[..., Any]) -> Callable[..., Any]:
    """The method, once for all workflows of a process: whether it acts, the current one says."""

    @functools.wraps(start)
    def execute(script: Any, cmd: str, **words: Any) -> Any:
        return start(script, _guard_of(script, cmd, words) + cmd, **words)

    setattr(execute, _SEEN_AS, True)
    return execute


def _guard_of(script: Any, cmd: str, words: dict[str, Any]) -> str:
    from snakemake import workflow

    scripts = getattr(getattr(workflow, "workflow", None), _SEEN_AS, None)
    if scripts is None or not words.get("is_python_script") or words.get("read"):
        return ""
    try:
        return str(scripts.guard(script, cmd))
    except (AttributeError, TypeError):
        return ""  # another Snakemake than is known: the view stays wide
