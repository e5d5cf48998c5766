"""`python -m benchmarks.slurm`: what docs/clusters.md says, on a real Slurm of two nodes.

Needs root, Debian's `slurm-wlm` and `munge`, and the package `snakemake-executor-plugin-slurm`.
Everything lies below a temporary folder, and the daemons end with the script.
"""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.slurm.cluster import Cluster, missing
from tests import nvml
from tests.snakemake.workflow import Workflow
from tests.wheels import Venv, build_wheel

_SNAKEFILE: Final = """\
import envstage
include: envstage.snakefile()
rule all:
    default_target: True
    input: "cpu.txt", "gpu.txt"
rule cpu:
    input: "work.py", env="environment/views/cpu.json"
    output: "cpu.txt"
    resources: slurm_partition="cpu"
    shell: "envstage run --view cpu -- python work.py > {output}"
rule gpu:
    input: "work.py", env="environment/gpu/views/gpu.json"
    output: "gpu.txt"
    resources: slurm_partition="gpu"
    shell: "envstage run --view gpu -- python work.py > {output}"
"""
_CONFIGURATION: Final = """\
environments:
  main: {python: auto}
  gpu: {python: auto, level: hardware, where: {hardware.gpu.models: "*H100*"}}
views:
  cpu:
  gpu: {environment: gpu}
"""
_WORK: Final = "import alpha, os\nprint(alpha.version, 'on', os.environ['SLURMD_NODENAME'])\n"
_EXECUTOR: Final = (
    *("--executor", "slurm", "-j", "2", "--slurm-status-command", "squeue"),
    *("--default-resources", "slurm_account=none", "runtime=5", "mem_mb=100"),
    *("--latency-wait", "5", "--seconds-between-status-checks", "2"),
)


def main() -> int:
    """Set it up, and state each thing that holds; 1 where one does not."""
    lacking = missing()
    if find_spec("snakemake_executor_plugin_slurm") is None:
        lacking.append("snakemake-executor-plugin-slurm")
    if lacking:
        print(f"not here: {', '.join(lacking)} (see {Path(__file__).name})", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        base = Path(name)
        base.chmod(0o755)
        with Cluster(base / "slurm") as cluster:
            return _Script(base, cluster).run()


class _Script:
    """One workflow on the cluster; the second node has a GPU, and an environment of its own."""

    def __init__(self, base: Path, cluster: Cluster) -> None:
        (base / "work").mkdir()
        self._workflow = Workflow(base / "work", _SNAKEFILE, _CONFIGURATION)
        self._workflow.write("work.py", _WORK)
        self._node = Venv(base / "node")
        self._failed = False
        environ = nvml.nvml_environ(base / "gpus", nvml.ONE_H100)
        lines = [f"echo export {key}={value}" for key, value in environ.items()]
        lines.append(f'echo "export PATH={self._node.bin}:$PATH"')
        cluster.on_nodes(f'if [ "$SLURMD_NODENAME" = n2 ]; then\n{chr(10).join(lines)}\nfi')
        self._install("9.0")

    def run(self) -> int:
        """Each step, and what must hold."""
        self._heading("Phase one: the GPU environment is captured by a job of its own")
        said = self._call("snakemake", "-n", code=1)
        self._must("the head node has no GPU, and says so", "none of its machines" in said, said)
        said = self._call("srun", "--partition=gpu", "envstage", "capture", "--environment", "gpu")
        self._must("srun captures it on n2", "environment gpu" in said and "captured" in said, said)
        snapshot = self._workflow.read("environment/gpu/environment.json")
        self._must("with n2's GPU and packages", "H100" in snapshot and '"9.0"' in snapshot, said)

        self._heading("Phase two: the workflow, from the head node")
        said = self._call("snakemake", *_EXECUTOR)
        text = self._workflow.read("cpu.txt") + self._workflow.read("gpu.txt")
        self._must("each rule on its node", text == "1.0 on n1\n9.0 on n2\n", said)
        self._must("nothing to be done", "Nothing to be done" in self._call("snakemake", "-n"))
        stamps = self._stamps()

        self._heading("Jobs do not look at their node")
        self._call("snakemake", *_EXECUTOR, "-R", "cpu", "gpu", "--rerun-triggers", "mtime")
        self._must("no job has touched a stamp", self._stamps() == stamps)

        self._heading("A node that drifts")
        self._install("9.1")
        self._must(
            "the head node cannot see it", "Nothing to be done" in self._call("snakemake", "-n")
        )
        said = self._call("snakemake", *_EXECUTOR, "-R", "gpu", code=1)
        logs = self._logs()
        refused = "environment/gpu/views/gpu.json: this machine is not what the view says"
        self._must("the guard refuses there", refused in logs, said + logs)
        self._must("no job has touched a stamp", self._stamps() == stamps)
        self._must("and names the fact", "packages.alpha 9.0 → 9.1 (upgrade)" in logs, logs)
        said = self._call("srun", "--partition=gpu", "envstage", "capture", "--environment", "gpu")
        self._must("captured again: alpha", "packages.alpha 9.0 → 9.1 (upgrade)" in said, said)
        said = self._call("snakemake", *_EXECUTOR)
        self._must("and run", self._workflow.read("gpu.txt") == "9.1 on n2\n", said)
        self._must("nothing to be done", "Nothing to be done" in self._call("snakemake", "-n"))
        return 1 if self._failed else 0

    def _install(self, version: str) -> None:
        self._node.install(build_wheel(self._workflow.wheelhouse, "alpha", version))

    def _logs(self) -> str:
        """Of the jobs."""
        found = (self._workflow.root / ".snakemake" / "slurm_logs").rglob("*.log")
        return "\n".join(path.read_text() for path in found)

    def _stamps(self) -> dict[str, tuple[int, bytes]]:
        found = (self._workflow.root / ".envstage/stamps").rglob("*")
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for path in found
            if path.is_file()
        }

    def _call(self, *words: str, code: int = 0) -> str:
        print("$", " ".join(words))
        if words[0] == "snakemake":
            try:
                return self._workflow.cli(*words, code=code)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self._logs()}") from None
        done = subprocess.run(
            words,
            cwd=self._workflow.root,
            env=self._workflow.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != code:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def _must(self, what: str, holds: bool, said: str = "") -> None:
        print("  ok " if holds else "  BAD", what)
        if not holds:
            self._failed = True
            print(said)

    def _heading(self, text: str) -> None:
        print(f"\n== {text}")


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
