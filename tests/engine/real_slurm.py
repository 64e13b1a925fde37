"""A real Slurm of one node on loopback, with its own munge, in a folder and on ports of its own.

Debian's slurm-wlm and munge, and root, which Slurm's daemon for a node has to be. Where one of them is
missing, tests are skipped with a notice that says which.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
START_SECONDS = 30

_CONF = """
ClusterName=practical
SlurmctldHost={node}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=2
OverTimeLimit=0
MessageTimeout=60
SchedulerParameters=sched_interval=1,bf_interval=2,sched_min_interval=100000
SlurmdParameters=config_overrides
NodeName={node} NodeAddr=127.0.0.1 CPUs=6 RealMemory=40000 State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """What keeps a Slurm from running here; empty where nothing does."""
    lacking = [program for program in PROGRAMS if not _found(program)]
    if lacking:
        return f"no {', '.join(lacking)} here: apt-get install slurm-wlm munge"
    return "" if os.getuid() == 0 else "slurmd has to be root's"


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


@dataclass(frozen=True)
class RealSlurm:
    """A running Slurm.

    Attributes:
        environment: what programs need to reach it.
    """

    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        """What one of Slurm's programs prints."""
        return subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, check=True
        ).stdout

    def jobs(self, states: str = "") -> dict[str, str]:
        """The states of the jobs in the queue, by their numbers."""
        said = self.ask("squeue", "--noheader", "--format=%i %T", *([f"--states={states}"] if states else []))
        return dict(line.split()[:2] for line in said.splitlines())

    def partition(self, state: str) -> None:
        """Let no job begin (DOWN), or let them again (UP)."""
        self.ask("scontrol", "update", "PartitionName=main", f"State={state}")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[RealSlurm]:
    """A Slurm, until the block is left; no daemon is left then, and no job."""
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    node = socket.gethostname().partition(".")[0]
    conf = folder / "slurm.conf"
    controller, daemon = _free_ports(2)
    conf.write_text(_CONF.format(node=node, folder=folder, controller=controller, daemon=daemon))
    slurm = RealSlurm({"SLURM_CONF": str(conf)})
    munge = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    commands = [
        ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *munge],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", node],
    ]
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            program = _found(command[0])
            assert program is not None
            with open(folder / f"{command[0]}.said", "wb") as said:
                daemons.append(
                    subprocess.Popen(
                        [program, *command[1:]],
                        env={**os.environ, **slurm.environment},
                        stdout=said,
                        stderr=said,
                        start_new_session=True,
                    )
                )
        _wait_until_idle(slurm, folder)
        yield slurm
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            slurm.ask("scancel", "--user=root")
            deadline = time.monotonic() + 20
            while slurm.jobs() and time.monotonic() < deadline:
                time.sleep(0.3)
        for process in reversed(daemons):
            process.send_signal(signal.SIGTERM)
        for process in daemons:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]


def _wait_until_idle(slurm: RealSlurm, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(subprocess.SubprocessError):
            if slurm.ask("sinfo", "--noheader", "--format=%T").strip() == "idle":
                return
        time.sleep(0.3)
    said = [path.read_text(errors="replace")[-600:] for path in sorted(folder.glob("*.said"))]
    raise RuntimeError(f"Slurm does not start within {START_SECONDS} s: {said}")
