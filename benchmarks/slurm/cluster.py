"""A Slurm of two nodes on one machine: its own key, configuration, ports and folder.

Debian: `apt install slurm-wlm munge`. The daemons need root, and end with the `with` block.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final

NODES: Final = ("n1", "n2")
_PROGRAMS: Final = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONFIGURATION: Final = """\
ClusterName=two
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmctldPort={controller}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
TaskProlog={folder}/prolog.sh
ReturnToService=2
MinJobAge=600
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=2 RealMemory=1000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs=2 RealMemory=1000
PartitionName=cpu Nodes=n1 Default=YES MaxTime=60 OverSubscribe=FORCE:4 State=UP
PartitionName=gpu Nodes=n2 MaxTime=60 OverSubscribe=FORCE:4 State=UP
"""
_WAIT_S: Final = 60
# Jobs start steps themselves, in an environment without a word of Slurm's: they look here.
_USUAL: Final = Path("/etc/slurm/slurm.conf")


def missing() -> list[str]:
    """What a cluster needs and this machine lacks."""
    lacking = [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None]
    if _USUAL.exists():
        lacking.append(f"a machine without a Slurm of its own ({_USUAL})")
    return lacking if os.geteuid() == 0 else [*lacking, "root"]


class Cluster:
    """The daemons; `on_nodes` says what is otherwise on a node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Cluster":
        folder = self._folder
        folder.mkdir(mode=0o755)
        (folder / "state").mkdir()
        for node in NODES:
            (folder / f"spool.{node}").mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self.on_nodes("")
        controller, first, second = _free_ports(3)
        (folder / "slurm.conf").write_text(
            _CONFIGURATION.format(
                folder=folder,
                host=socket.gethostname().partition(".")[0],
                controller=controller,
                first=first,
                second=second,
            )
        )
        _USUAL.parent.mkdir(exist_ok=True)
        _USUAL.symlink_to(folder / "slurm.conf")
        # `--force`: the folder may be one that others can write.
        munge = ("--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}")
        places = (f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log")
        try:
            self._start("munged", *munge, *places, f"--seed-file={folder}/munge.seed")
            _until(lambda: (folder / "munge.socket").exists(), "munged")
            self._start("slurmctld", "-D")
            for node in NODES:
                self._start("slurmd", "-D", "-N", node)
            _until(
                lambda: self.run("sinfo", "-h", "-N", "-o", "%t").split() == ["idle"] * 2, "slurmd"
            )
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def on_nodes(self, text: str) -> None:
        """What is run before every task, as a site's modules would be: a shell's text, whose output
        acts (`export NAME=value`). `$SLURMD_NODENAME` says where."""
        prolog = self._folder / "prolog.sh"
        prolog.write_text(f"#!/bin/sh\n{text}\n")
        prolog.chmod(0o755)

    def run(self, *command: str) -> str:
        """A command of Slurm's; its output."""
        environ = {**os.environ, "PATH": _PATH}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        return done.stdout

    def _start(self, *command: str) -> None:
        log = (self._folder / f"{'-'.join(command[:1])}.out").open("ab")
        program = shutil.which(command[0], path=_PATH) or command[0]
        environ = {**os.environ, "PATH": _PATH}
        self._daemons.append(
            subprocess.Popen(
                [program, *command[1:]],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )
        log.close()

    def _stop(self) -> None:
        self.run("scancel", "--user=root")
        _USUAL.unlink(missing_ok=True)
        for daemon in reversed(self._daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in self._daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _until(condition: object, what: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up")
        time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
