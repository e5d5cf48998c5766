"""A real workflow under a real Snakemake, in this process (fast) or by its command line."""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.logging import logger
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
    StorageSettings,
)

from tests.wheels import Venv, build_wheel

SNAKEFILE = """\
import envstage
include: envstage.snakefile()

rule all:
    default_target: True
    input: "model.txt", "score.txt"

rule train:
    input: "train.py", env="environment/views/train.json"
    output: "model.txt"
    shell: "python train.py > {output}"

rule evaluate:
    input: "model.txt", env="environment/views/evaluate.json"
    output: "score.txt"
    shell: "cp model.txt {output}"
"""
GUARDED = SNAKEFILE.replace('"python train.py', '"envstage run --view train -- python train.py')
TRAIN = "import alpha\nprint(alpha.version)\n"
CONFIG = "views:\n  train:\n  evaluate: {exclude: [packages.alpha]}\n"


class Run:
    """What a run said: whether it ended well, its jobs (a dry-run's: those that would run)."""

    def __init__(self, is_ok: bool, records: Sequence[logging.LogRecord], text: str = "") -> None:
        self.is_ok = is_ok
        self.jobs: set[str] = set()
        self.reasons: dict[str, str] = {}
        lines = [text]
        for record in records:
            lines.append(record.getMessage())
            event = getattr(record, "event", None)
            if event is not None and getattr(event, "name", "") == "JOB_INFO":
                self._add(record)
        self.text = "\n".join(lines)

    def _add(self, record: Any) -> None:
        wildcards = dict(record.wildcards or {})
        name = record.rule_name
        if "view" in wildcards:
            name = f"{name}({wildcards['view']})"
        elif wildcards:
            name = f"{name}({','.join(wildcards.values())})"
        self.jobs.add(name)
        self.reasons[name] = str(record.reason)


class Workflow:
    """A workflow in a folder of its own, with one virtual environment on PATH."""

    def __init__(self, base: Path, snakefile: str = SNAKEFILE, config: str = CONFIG) -> None:
        self.base = base
        self.root = base / "repo"
        self.venv = Venv(base / "venv")
        self.wheelhouse = base / "wheels"
        self.tools = base / "tools"
        for folder in (self.root, self.wheelhouse, self.tools):
            folder.mkdir()
        link = self.tools / "envstage"
        link.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m envstage "$@"\n')
        link.chmod(0o755)
        self.write("Snakefile", snakefile)
        self.write("train.py", TRAIN)
        if config:
            self.write("envstage.yaml", config)
        self.install("alpha", "1.0")
        self.install("beta", "1.0")

    def environ(self) -> dict[str, str]:
        path = [str(self.venv.bin), str(self.tools), "/usr/local/bin", "/usr/bin", "/bin"]
        return dict(os.environ) | {"PATH": os.pathsep.join(path)}

    def install(self, name: str, version: str) -> None:
        self.venv.install(build_wheel(self.wheelhouse, name, version))

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def run(self, *targets: str, cores: int = 2, **options: Any) -> Run:
        """`snakemake -cN TARGETS`."""
        return self._api(targets, "local", cores, options)

    def plan(self, *targets: str, **options: Any) -> Run:
        """`snakemake -n TARGETS`."""
        return self._api(targets, "dryrun", 1, options)

    def is_done(self, **options: Any) -> bool:
        """Whether `snakemake -n` says that nothing is to be done."""
        found = self.plan(**options)
        assert found.is_ok, found.text
        return not found.jobs

    def _api(
        self, targets: Sequence[str], executor: str, cores: int, options: dict[str, Any]
    ) -> Run:
        before, cwd = dict(os.environ), os.getcwd()
        os.environ.update(self.environ())
        seen = _Seen()
        config = options.pop("config", {})
        storage = options.pop("storage", StorageSettings())
        execution = {name: options.pop(name) for name in ("retries", "lock") if name in options}
        is_ok = False
        try:
            with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
                logger.addHandler(seen)
                os.chdir(self.root)
                try:
                    flow = api.workflow(
                        resource_settings=ResourceSettings(cores=cores),
                        config_settings=ConfigSettings(config=config),
                        storage_settings=storage,
                        snakefile=self.root / "Snakefile",
                        workdir=self.root,
                    )
                    dag = flow.dag(dag_settings=DAGSettings(targets=set(targets), **options))
                    dag.execute_workflow(
                        executor=executor, execution_settings=ExecutionSettings(**execution)
                    )
                    is_ok = True
                except SystemExit:
                    pass  # it has said why
                except Exception as error:
                    api.print_exception(error)
                if flow._workflow_store and flow._workflow_store.sourcecache.runtime_cache:
                    # Else it complains when Python ends.
                    flow._workflow_store.sourcecache.runtime_cache.cleanup()
        finally:
            logger.removeHandler(seen)
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(before)
        return Run(is_ok, seen.records)

    def cli(self, *words: str, code: int | None = 0, **environ: str) -> str:
        """A command of the user's, in the workflow's folder; both streams."""
        program = [sys.executable, "-m", *words]
        done = subprocess.run(
            program,
            cwd=self.root,
            env=self.environ() | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if code is not None and done.returncode != code:
            raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}")
        return done.stdout


class _Seen(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


TRIGGERS: tuple[dict[str, Any], ...] = (
    {},
    {"rerun_triggers": frozenset({RerunTrigger.MTIME})},
    {"rerun_triggers": frozenset({RerunTrigger.PARAMS, RerunTrigger.INPUT, RerunTrigger.CODE})},
    {"max_checksum_file_size": 0},
)
