"""What the provided Snakemake rule asks: its output, stamp, fingerprint and command.

Read by every process of a workflow, on cluster nodes as well: nothing is imported, looked at or
written before the main process asks for a view.
"""

import ast
import os
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from envstage import layout, snakefile
from envstage.capture.engine import VARIABLE, marked
from envstage.pipelines.snakemake_params import spare_pandas
from envstage.pipelines.snakemake_script import ENVSTAGE, Scripts, observe_scripts

_RULES: Final = ("environment", "environment_report")
_NAMES: Final = "_envstage_rule_names"
_SECTION: Final = "envstage"


class ProvidedRule:
    """The functions of one inclusion of the rule.

    Attributes:
        output: the pattern of the rule's output.
        folders: which folders `{folder}` may be.
        is_repeated: whether the rule is there already, by an earlier `include` of it.
    """

    def __init__(
        self,
        workflow: Any,
        section: Mapping[str, Any] | None,
        above: str,
        *,
        is_repeated: bool = False,
    ) -> None:
        self._workflow = workflow
        self.is_repeated = is_repeated
        self._section = section
        self._answers: Any = None
        self._above = above
        self.folders = f"{re.escape(self._above)}{layout.FOLDER}(/[^/]+)?"
        self.output = f"{{folder}}/{layout.VIEWS}/{{view}}.json"
        self.page = "{folder}/report.html"
        self.caption = os.path.join(os.path.dirname(snakefile()), "caption.rst")

    def stamp(self, wildcards: Any) -> Any:
        """The stamp of a view: decided and set in the main process, a mere path elsewhere."""
        from snakemake.io import local

        folder = str(wildcards.folder).removeprefix(self._above)
        if self._workflow.is_main_process:
            self._asked().decide(folder, wildcards.view)
        return local(f"{self._above}{layout.STATE_FOLDER}/stamps/{folder}/{wildcards.view}")

    def fingerprint(self, wildcards: Any) -> str:
        """What Snakemake compares with what it recorded, for `--rerun-triggers params`."""
        folder = str(wildcards.folder)
        if not self._workflow.is_main_process:
            return ""
        decided = self._asked().decide(folder.removeprefix(self._above), wildcards.view)
        if decided.is_current:
            return self._recorded(f"{folder}/{layout.VIEWS}/{wildcards.view}.json")
        return str(decided.fingerprint)

    def command(self, wildcards: Any, output: Any) -> str:
        """The job's command. It names the output, so Snakemake does not record it."""
        del output
        words = [*ENVSTAGE, "capture"]
        words += ["-C", self._above.rstrip("/")] if self._above else []
        words += ["--environment", self._environment(wildcards), "--view", wildcards.view]
        return shlex.join(words)

    def page_stamp(self, wildcards: Any) -> Any:
        """The stamp of an environment's page, and the views after which it is written."""
        from snakemake.io import ancient, local

        environment = self._environment(wildcards)
        stamp = local(f"{self._above}{layout.STATE_FOLDER}/stamps/reports/{environment}")
        if not self._workflow.is_main_process:
            return stamp
        # The stamp decides, and the views only come first. Snakemake does not look at the stamp
        # where a view is written: that view must not be ancient (`dag.py`, `masked`).
        views = self._asked().decide_page(environment).items()
        return [stamp, *(path if is_anew else ancient(path) for path, is_anew in views)]

    def page_command(self, wildcards: Any, output: Any) -> str:
        """The job's command. It names the output, so Snakemake does not record it."""
        words = [*ENVSTAGE, "export", "html", "-o", str(output)]
        words += ["-C", self._above.rstrip("/")] if self._above else []
        return shlex.join([*words, "--environment", self._environment(wildcards)])

    def _environment(self, wildcards: Any) -> str:
        folder = str(wildcards.folder).removeprefix(self._above)
        return folder.partition("/")[2] or layout.MAIN

    def _asked(self) -> Any:
        """The decisions of this process."""
        if self._answers is None:
            from envstage.pipelines.snakemake_decide import Answers

            self._answers = Answers(self._workflow, self._above or ".", self._section)
        return self._answers

    def _recorded(self, output: str) -> str:
        """The fingerprint of the job that wrote the view: a view that holds keeps its record.

        A view that was finalised, accepted or taken from Git has another fingerprint than the
        one its job was started for.
        """
        record = self._workflow.persistence._read_record(output)
        try:
            return str(ast.literal_eval(record.params[0])) if record else "current"
        except (AttributeError, IndexError, SyntaxError, TypeError, ValueError):
            return "current"


def attach(workflow: Any, config: Mapping[str, Any]) -> ProvidedRule:
    """Begin an inclusion of the provided rule.

    Args:
        workflow: Snakemake's.
        config: the one that the including Snakefile sees; with `module`, the one given there.
    """
    os.environ[VARIABLE] = marked(os.environ)
    is_known = _order(workflow)
    is_repeated = is_known and workflow.modifier.base_snakefile is None
    section = _section_of(workflow, config)
    above = _above(section)
    observe_scripts(workflow, Scripts(above or ".", above))
    spare_pandas()
    return ProvidedRule(workflow, section, above, is_repeated=is_repeated)


def _section_of(workflow: Any, config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    section = config.get(_SECTION)
    if section is None and config and workflow.modifier.base_snakefile is not None:
        base = os.path.dirname(str(workflow.modifier.base_snakefile))
        ours = os.path.dirname(str(workflow.included_stack[-1].get_path_or_uri(secret_free=True)))
        # A module of our own file was given the section; one that includes it has its own keys.
        section = config if base == ours else None
    return section if isinstance(section, Mapping) else None


def _order(workflow: Any) -> bool:
    """Two inclusions make the same outputs: the first one does it. Whether the name is known."""
    known: list[tuple[str, ...]] = getattr(workflow, _NAMES, [])
    own = tuple(workflow.modifier.modify_rulename(rule) for rule in _RULES)
    if own in known:
        return True
    setattr(workflow, _NAMES, [*known, own])
    for names in zip(*known, own, strict=True) if known else ():
        workflow._ruleorder.add(*names)
    return False


def _above(section: Mapping[str, Any] | None) -> str:
    """The way from the working directory up to the project: empty, or `../`."""
    if section is not None or os.path.isfile(layout.CONFIG_FILE):
        return ""
    from envstage.errors import EnvstageError
    from envstage.project import find_root

    try:
        way = os.path.relpath(find_root(os.getcwd()), os.getcwd()).replace(os.sep, "/")
    except EnvstageError:
        return ""
    return "" if way == "." else f"{way}/"
