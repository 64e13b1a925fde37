"""`--slurm` on a real Slurm of one node: jobs that begin, end early, wait, or have lost their grader."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from . import real_slurm
from .fakes import ROOT, cohort, command_line, log_of, stop
from .real_slurm import RealSlurm
from .test_cluster import all_end, marking_processes

pytest.importorskip("dask_jobqueue")
pytestmark = [
    pytest.mark.skipif(bool(real_slurm.missing()), reason=f"no real Slurm: {real_slurm.missing()}"),
    pytest.mark.timeout(400),
]
OTHER_ACCOUNT = "nobody"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSlurm]:
    with real_slurm.running(tmp_path_factory.mktemp("slurm")) as running:
        yield running


class Run:
    """A grader with pretended markers, whose workers a real Slurm starts.

    Args:
        folder: for all that it writes.
        slurm: where.
        jobs: how many workers.
        settings: of dask-jobqueue.
    """

    def __init__(self, folder: Path, slurm: RealSlurm, jobs: int, **settings: object) -> None:
        self.folder = folder
        self.slurm = slurm
        (folder / "dask").mkdir()
        settings = {"memory": "4GB", **settings}
        (folder / "dask" / "jobqueue.yaml").write_text(yaml.safe_dump({"jobqueue": {"slurm": settings}}))
        (folder / "here").mkdir()
        command = [sys.executable, command_line(folder), "grade", folder / "cohort", "--no-pages"]
        command += ["--output", folder / "out", "--seed", 7, "--slurm", jobs]
        self.said = folder / "said"
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                env={
                    **os.environ,
                    **slurm.environment,
                    "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
                    "FAKE_LOG": str(folder / "log"),
                    "XDG_CACHE_HOME": str(folder / "cache"),
                    "DASK_CONFIG": str(folder / "dask"),
                },
                cwd=folder / "here",
                stdout=said,
                stderr=said,
                text=True,
                start_new_session=True,
            )

    def until(self, happens: Callable[[], object], seconds: float = 90) -> None:
        """Wait for something."""
        deadline = time.monotonic() + seconds
        while not happens():
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.2)

    def text(self) -> str:
        return self.said.read_text(errors="replace")

    def status(self, seconds: float = 200) -> int:
        """The exit status, when the run has come to its end."""
        return self.process.wait(seconds)

    def begun(self, count: int = 1) -> bool:
        """Whether so many submissions have been begun."""
        log = self.folder / "log"
        return log.exists() and sum(line.startswith("mark:") for line in log_of(self.folder)) >= count

    def marked(self) -> set[str]:
        return {path.parent.name for path in (self.folder / "out").glob("*/results.json")}

    def workers(self) -> list[psutil.Process]:
        """The processes on the node that have been started with this run's keys, and theirs."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if f"{self.folder}/cache" in " ".join(process.cmdline()):
                    found += [process, *process.children(recursive=True)]
        return found

    @property
    def keys(self) -> Path:
        """The folder of the run's keys."""
        (folder,) = (self.folder / "cache" / "grader").iterdir()
        return folder

    def leaves_nothing(self, seconds: float = 30) -> None:
        """No job, no process, no key; and no log where the grader was started."""
        self.until(lambda: not self.slurm.jobs(), seconds)
        if (self.folder / "log").exists():
            assert all_end(marking_processes(self.folder))
        self.until(lambda: not self.workers(), 30)
        assert not list((self.folder / "cache" / "grader").glob("*/*.pem"))
        assert not list((self.folder / "here").iterdir())

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(subprocess.SubprocessError):
            self.slurm.ask("scancel", "--user=root")
        self.until(lambda: not self.slurm.jobs(), 30)


@pytest.fixture
def start(tmp_path, slurm) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(*names: str, jobs: int = 1, **settings: object) -> Run:
        cohort(tmp_path, *names)
        runs.append(Run(tmp_path, slurm, jobs, **settings))
        return runs[-1]

    yield begin
    slurm.partition("UP")
    for run in runs:
        run.close()


def test_jobs_begin_mark_and_end(start):
    run = start("s1-slow", "s2-slow", jobs=2)
    assert run.status() == 0, run.text()
    assert run.marked() == {"s1-slow", "s2-slow"}
    run.leaves_nothing()
    assert not list((run.folder / "cache" / "grader").iterdir())
    assert "Warning" not in run.text()


@pytest.mark.slow
def test_a_cancelled_job_is_replaced_and_costs_no_result(start, slurm):
    names = [f"s{number}-long" for number in range(3)]
    run = start(*names)
    run.until(run.begun)
    (number,) = slurm.jobs("RUNNING")
    slurm.ask("scancel", number)
    assert run.status() == 0, run.text()
    assert run.marked() == set(names)
    assert f"--slurm: job {number} has ended (CANCELLED" in run.text()
    run.leaves_nothing()


@pytest.mark.slow
def test_a_cancelled_job_that_waits_is_replaced(start, slurm):
    slurm.partition("DOWN")
    run = start("s1")
    run.until(slurm.jobs)
    (number,) = slurm.jobs("PENDING")
    run.until(lambda: "waiting in the queue: PartitionDown" in run.text())
    slurm.ask("scancel", number)
    run.until(lambda: f"job {number} has ended before its worker was there (CANCELLED" in run.text())
    slurm.partition("UP")
    assert run.status() == 0, run.text()
    assert run.marked() == {"s1"}
    run.leaves_nothing()


@pytest.mark.slow
def test_a_job_whose_time_is_over_is_replaced(start):
    names = [f"s{number}-long" for number in range(5)]
    run = start(*names, walltime="00:01:00")
    assert run.status(360) == 0, run.text()
    assert run.marked() == set(names)
    assert "has ended (TIMEOUT" in run.text()
    run.leaves_nothing()


@pytest.mark.slow
def test_where_nodes_lack_the_environment_the_run_says_so_and_ends(start):
    run = start("s1", python="/nowhere/python")
    assert run.status(120) == 1, run.text()
    said = run.text()
    node = socket.gethostname().partition(".")[0]
    assert f" on {node} has ended before its worker was there (FAILED, NonZeroExitCode)" in said
    assert "/nowhere/python: No such file or directory" in said
    assert "error: --slurm: 3 jobs in a row have ended before a worker was there; their logs are in" in said
    assert said.count("has ended before its worker") == 1, "one reason is told once"
    (logs,) = re.findall(r"their logs are in (\S+)\. ", said)
    assert len(list(Path(logs).iterdir())) >= 3
    run.leaves_nothing()


@pytest.mark.slow
def test_a_job_that_fails_once_is_replaced(start, tmp_path):
    once = tmp_path / "failed-once"
    run = start("s1", **{"job-script-prologue": [f"[ -e {once} ] || {{ touch {once}; exit 1; }}"]})
    assert run.status() == 0, run.text()
    assert run.marked() == {"s1"}
    assert "has ended before its worker was there (FAILED" in run.text()
    run.leaves_nothing()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_told_and_cancels_the_jobs(start, number):
    run = start("s1", "s2-sleep")
    run.until(lambda: run.begun(2))
    stop(run.process, number)
    assert run.status(30) == 130, run.text()
    assert "interrupted: " in run.text()
    run.leaves_nothing(10)


@pytest.mark.slow
def test_an_interrupt_while_jobs_wait_is_told_too(start, slurm):
    slurm.partition("DOWN")
    run = start("s1")
    run.until(lambda: "waiting in the queue" in run.text())
    stop(run.process, signal.SIGINT)
    assert run.status(30) == 130, run.text()
    assert "interrupted: " in run.text()
    run.leaves_nothing(10)


@pytest.mark.slow
def test_jobs_of_a_killed_grader_end_within_a_minute(start, slurm):
    run = start("s1-slow", "s2-sleep", "s3-sleep", jobs=2)
    run.until(lambda: run.begun(3))
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    run.until(lambda: not slurm.jobs() and not run.workers(), 60)
    assert all_end(marking_processes(run.folder))


@pytest.mark.slow
def test_a_port_that_another_uses_troubles_nobody(start):
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody really uses it
            stack.enter_context(socket.create_server(("", 8787)))
        run = start("s1")
        assert run.status() == 0
        assert "8787" not in run.text()
        assert "Warning" not in run.text()


# What another account of the machine can try, in plain Python: it may not read the grader's environment.
INTRUDER = """
import os, socket, ssl, struct, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
key, certificate, own = sys.argv[1:4]
for path in (key, certificate, os.path.dirname(key)):
    try:
        os.listdir(path) if path == os.path.dirname(key) else open(path).read()
        print("READ", path)
    except PermissionError:
        pass
for place in sys.argv[4:]:
    host, port = place.rsplit(":", 1)
    for identity in ("none", "plain", "self-made"):
        try:
            with socket.create_connection((host, int(port)), timeout=10) as plain:
                wire = plain
                if identity != "plain":
                    context = ssl.create_default_context()
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    if identity == "self-made":
                        context.load_cert_chain(own)
                    wire = context.wrap_socket(plain)
                hello = b"\\x81\\xa2op\\xa8identity"
                wire.sendall(struct.pack("<QQQ", 1, len(hello), 0) + hello)
                answer = wire.recv(100)
                refused = not answer or answer.startswith(b"\\x15\\x03")  # TLS's alert
                print("turned away" if refused else "ANSWER", place, identity, answer)
        except (ssl.SSLError, ConnectionError) as error:
            print("turned away", place, identity, type(error).__name__)
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl, to make a stranger's keys")
def test_another_account_is_turned_away_and_reads_no_key(start, slurm, tmp_path):
    run = start("s1-sleep", "s2-sleep", jobs=2)
    run.until(lambda: run.begun(2))
    keys = run.keys
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.glob("*.pem")} == {0o600}
    # Of this run's jobs only: one of an earlier run may still be ending.
    commands = "\n".join(map(command_of, run.workers()))
    (scheduler,) = set(re.findall(r"distributed\.cli\.dask_worker tls://(\S+:\d+)", commands))
    places = {scheduler, *listening(run)}
    assert len(places) >= 5, "a scheduler, and two workers with their nannies"
    own = tmp_path / "own.pem"
    made = ["-keyout", own, "-out", tmp_path / "own.crt"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=dask-internal", *made],
        check=True,
        capture_output=True,
    )
    own.write_text(own.read_text() + (tmp_path / "own.crt").read_text())
    own.chmod(0o644)
    shared = Path("/tmp", f"stranger-{os.getpid()}.pem")
    shutil.copy(own, shared)
    try:
        done = subprocess.run(
            ["/usr/bin/python3", "-c", INTRUDER, keys / "key.pem", keys / "certificate.pem", shared, *places],
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        shared.unlink()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3 * len(places), done.stdout
    assert all(line.startswith("turned away") for line in lines), done.stdout


def command_of(process: psutil.Process) -> str:
    """A process's command line; empty where it has ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def listening(run: Run) -> set[str]:
    """The addresses on which Dask's processes of all jobs take connections."""
    found = set()
    for process in run.workers():
        with contextlib.suppress(psutil.Error):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.ip != "127.0.0.1":
                    found.add(f"{connection.laddr.ip}:{connection.laddr.port}")
    return {place.replace("0.0.0.0", "127.0.0.1") for place in found}
