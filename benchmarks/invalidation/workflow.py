"""The same bench under Snakemake: ten rules instead of ten stages."""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.invalidation import stages
from benchmarks.invalidation.bench import Bench

_HEAD: Final = """\
import envstage
include: envstage.snakefile()

rule everything:
    default_target: True
    input: {outputs}
"""
_RULE: Final = """
rule {stage}:
    input: {needs}, environment="environment/views/{stage}.json"
    output: "out/{stage}.txt"
    shell: "envstage run --view {stage} -- {command}"
"""
# What Snakemake and its rules write, and what therefore stays when a change is taken back.
_RECORDS: Final = ("environment/", "out/")
_JOB: Final = re.compile(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    reason: (.*)", re.M)
# Snakemake waits a second between jobs that follow each other: all of them at once.
_CORES: Final = str(len(stages.STAGES))


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What Snakemake ran, or would run: the reason that it gives, by rule of the table."""

    reasons: dict[str, str]
    output: str

    @property
    def stages(self) -> frozenset[str]:
        """The rules."""
        return frozenset(self.reasons)


class WorkflowBench(Bench):
    """The table's repository as a Snakemake workflow."""

    def _make_tools(self) -> None:
        super()._make_tools()
        self.script("snakemake", f'exec "{sys.executable}" -m snakemake "$@"')

    def _make_repository(self) -> None:
        outputs = ", ".join(f'"out/{stage}.txt"' for stage in stages.STAGES)
        self.write("Snakefile", _HEAD.format(outputs=outputs) + "".join(map(_rule, stages.STAGES)))
        self.write("envstage.yaml", stages.CONFIGURATION)
        self.write("data.csv", "b\na\n")
        self.write("README.md", "The workflow of the truth table.\n")
        self.write(".gitignore", "/.snakemake/\n/.envstage/\n/out/\n")
        for stage in stages.SCRIPTS:
            self.write(f"code/{stage}.py", stages.script(stage))
        self.run("git", "init", "-q", "-b", "main")
        first = self.snakemake("-k")
        if first.stages != stages.ALL or "Nothing to be done" not in self.snakemake("-n").output:
            raise AssertionError(first.output)
        self.commit("everything is up to date")

    def take_back(self) -> None:
        """Put back what a row changed; results and views stay as they have become."""
        before = self.records
        self.records = {
            name: content
            for name, content in before.items()
            if not name.startswith((*_RECORDS, ".snakemake/", ".envstage/"))
        }
        super().take_back()
        self.records = before

    def use_release(self, tree: Path) -> None:
        """Run envstage from another tree; Snakemake finds the rule there as well."""
        super().use_release(tree)
        code = (
            f"import sys; sys.path.insert(0, {str(tree)!r}); sys.argv[0] = 'snakemake'; "
            "from snakemake.cli import main; sys.exit(main())"
        )
        self.script("snakemake", f'exec "{sys.executable}" -c "{code}" "$@"')

    def move_to_clone(self) -> None:
        """Go on in a clone, to which only the results are copied: no records of Snakemake."""
        before = self.root
        super().move_to_clone()
        shutil.copytree(before / "out", self.root / "out", copy_function=shutil.copy)

    def snakemake(self, *words: str) -> Planned:
        """Run or plan everything, also what lies behind a failure."""
        command = ["snakemake", "-c", _CORES, "--latency-wait", "1", *words]
        if self.umask:
            command = ["sh", "-c", f"umask {self.umask}; exec {' '.join(command)}"]
        output = self.run(*command, code=None)
        found = dict(_JOB.findall(output))
        return Planned(
            reasons={name: found[name] for name in stages.STAGES if name in found}, output=output
        )

    def explained(self, stage: str) -> str:
        """What `envstage why` says of a rule's output."""
        return self.run("envstage", "why", f"out/{stage}.txt", code=None)


def _rule(stage: str) -> str:
    needs = ", ".join(f'"{each}"' for each in stages.deps(stage))
    command = stages.command(stage, "{output}")
    return _RULE.format(stage=stage, needs=needs, command=command)
