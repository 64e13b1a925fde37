"""Start the box: bubblewrap around a template process that forks sessions."""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from grader.box.errors import BoxError
from grader.box.interpreter import Interpreter, box_python
from grader.box.processes import descendants, memory, status
from grader.limits import BOX_END_SECONDS, BOX_REPLY_SECONDS, BOX_START_SECONDS

HERE = Path(__file__).parent
INSIDE = HERE / "inside"
WIRE = HERE / "wire.py"
GRADER = HERE.parent
INSTALL_HINT = (
    "bubblewrap (bwrap) is not installed; install it (Debian, Ubuntu: apt install bubblewrap; "
    "Fedora: dnf install bubblewrap), or use --no-sandbox for code of your own"
)


def find_bubblewrap() -> str:
    """The path of bwrap.

    Raises:
        BoxError: it is not installed.
    """
    path = shutil.which("bwrap")
    if path is None:
        raise BoxError(INSTALL_HINT)
    return path


@contextlib.contextmanager
def running_on(cpus: Collection[int]) -> Iterator[None]:
    """Let this thread, and what it starts inside, run on these CPUs; on its own where there are none."""
    if not cpus or not hasattr(os, "sched_setaffinity"):  # macOS has no such thing
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def keep_beside(process: int) -> None:
    """Let a process run on this one's CPUs only; it is about speed, so that no failure matters."""
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(process, os.sched_getaffinity(0))


def _readable_system(python: Interpreter) -> list[str]:
    """The read-only folders: the system's libraries, Python and the virtual environment, nothing else."""
    arguments: list[str] = []
    for name in ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin"):
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), name]
        elif path.exists():
            arguments += ["--ro-bind", name, name]
    arguments += ["--perms", "0755", "--dir", "/etc"]
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"):
        arguments += ["--ro-bind-try", name, name]
    for prefix in python.prefixes:
        if not prefix.startswith("/usr/") and prefix != "/usr":
            # bubblewrap makes missing parents with mode 0700, which the template, once nobody, cannot cross.
            for parent in reversed(Path(prefix).parents[:-1]):
                arguments += ["--perms", "0755", "--dir", str(parent)]
            arguments += ["--ro-bind", prefix, prefix]
    return arguments


def _hide(python: Interpreter) -> list[str]:
    """Cover what lies in folders that the box shows: suites, where the package is installed, and images.

    scikit-learn brings the images along; on some of them trainings are judged.
    """
    hidden = [Path(place) for place in python.hidden]
    if any(GRADER.is_relative_to(prefix) for prefix in (*python.prefixes, "/usr")):
        hidden.append(GRADER)
    arguments: list[str] = []
    for place in dict.fromkeys(hidden):
        if place.is_dir():
            arguments += ["--tmpfs", str(place), "--remount-ro", str(place)]
    return arguments


def bubblewrap_arguments(bwrap: str, boot: str, python: Interpreter | None = None) -> list[str]:
    """The command line of the box. It holds no secret: code in the box may find a way to read it.

    Args:
        bwrap: the path of bubblewrap.
        boot: what Python does in the box.
        python: the one that does it; by default the one for students' code.

    Raises:
        GraderUsageError: BOX_PYTHON does not name one.
    """
    python = python or box_python()
    arguments = [bwrap, "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc"]
    arguments += ["--unshare-uts", "--unshare-net", "--unshare-cgroup-try", "--hostname", "box"]
    if os.getuid() == 0:
        # Root needs no user namespace here, and the template becomes nobody itself: seen from a user
        # namespace made by root, nobody would still be root to the kernel, whose processes are not counted.
        arguments += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        arguments += ["--unshare-user", "--cap-drop", "ALL"]
    # /tmp before the folders to read: a kit that was unpacked below /tmp has its environment there.
    arguments += ["--size", str(64 * 2**20), "--perms", "1777", "--tmpfs", "/tmp"]
    arguments += [*_readable_system(python), *_hide(python)]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--perms", "0755", "--dir", "/submission", "--dir", "/box"]
    for source in (*sorted(INSIDE.glob("*.py")), WIRE):
        arguments += ["--ro-bind", str(source), f"/box/{source.name}"]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    arguments += ["--", python.executable, "-I", "-B", "-c", boot]
    return arguments


# -I keeps the environment and the current folder out; the template's own folder is added by name.
BOOT = "import sys; sys.path.insert(0, '/box'); import template; template.main(allow_distributions={})"
ENVIRONMENT = {
    # Keep what tensors free instead of handing it back: a step of training then takes 3 page faults, not
    # 1,100, and 13% less CPU time. A session's memory goes with its process.
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",
    "USER": "student",  # for getpass.getuser(): the box has no list of accounts
    "LOGNAME": "student",
    "TMPDIR": "/tmp",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLCONFIGDIR": "/tmp",
    "MPLBACKEND": "Agg",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TORCHINDUCTOR_CACHE_DIR": "/tmp",
}


class Box:
    """One bubblewrap box with its warm template. Sessions are opened through `open_channel`.

    Args:
        allow_distributions: leave torch.distributions, which the assignment forbids, as it is.
        wait: return when the template has imported everything; else the first session waits for that.
        start_on: the CPUs that the template may use until then, where this process keeps to fewer.

    Raises:
        BoxError: it does not start.
    """

    sandbox = "bwrap"

    def __init__(
        self, allow_distributions: bool = False, wait: bool = True, start_on: Collection[int] = ()
    ) -> None:
        self.allow_distributions = allow_distributions
        command = self.command()
        self._last_words = ""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        try:
            with running_on(start_on):  # a process has the CPUs of the one that starts it
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", 'exec "$@" 3<&0 0</dev/null', "box", *command],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=self._complaints,
                    env=self.environment(),
                    close_fds=True,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C in the grader's terminal is for the grader to handle
                )
        except OSError as error:
            self._control.close()
            self._complaints.close()
            raise BoxError(f"the box could not be started: {error}") from error
        finally:
            theirs.close()
        self._ready = False
        self._cpu_at_start = self._cpu = 0.0
        self._pids: dict[int, int] = {}
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until the template has imported everything.

        Raises:
            BoxError: it does not start.
        """
        if self._ready:
            return
        if self._control.fileno() < 0:
            raise BoxError(f"the box is gone{self._last_words}")
        try:
            reply = self._receive(BOX_START_SECONDS)
        except BaseException:  # a Ctrl-C while torch is imported, for one
            self.close()
            raise
        if "error" in reply:
            self.close()
            raise BoxError(f"the box could not be started: {reply['error']}")
        self._cpu_at_start = self._cpu = self._cpu_of(reply)
        processes = [self.pid, *descendants(self.pid)]
        self._template = processes[-1]
        self._shared = memory(self._template)
        for process in processes:
            keep_beside(process)
        self._ready = True

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all closed sessions, without the template's start."""
        return self._cpu - self._cpu_at_start

    @staticmethod
    def _cpu_of(reply: dict[str, Any]) -> float:
        cpu = reply.get("cpu")
        return float(cpu) if isinstance(cpu, int | float) else 0.0

    def command(self) -> list[str]:
        """What to start; it finds its end of the control wire as descriptor 3."""
        return bubblewrap_arguments(find_bubblewrap(), BOOT.format(self.allow_distributions))

    def environment(self) -> dict[str, str]:
        """The whole environment of the process: /proc/1/environ would show anything more."""
        return ENVIRONMENT

    @property
    def pid(self) -> int:
        """The process number of bubblewrap, whose end is the end of everything in the box."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the template can still be asked for sessions."""
        return self._process.poll() is None

    def open_channel(self) -> tuple[int, socket.socket]:
        """Start a session.

        Returns:
            Its number and the grader's end of its wire.

        Raises:
            BoxError: the template is gone or could not confine the session.
        """
        self.wait()
        ours, theirs = socket.socketpair()
        try:
            descriptors = array.array("i", [theirs.fileno()]).tobytes()
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
            self._control.sendmsg([b'{"op": "open"}'], rights)
            reply = self._receive(BOX_REPLY_SECONDS)
            if not isinstance(reply.get("session"), int):
                raise BoxError(f"a session could not be started: {reply.get('error', 'no reason given')}")
        except BaseException as error:
            ours.close()
            if isinstance(error, OSError):
                self.close()
                raise BoxError(f"the box is gone: {error}{self._last_words}") from error
            raise
        finally:
            theirs.close()
        return reply["session"], ours

    def memory(self, session: int) -> int:
        """Bytes that a session and all that it has started take beyond the template.

        What it changes of the template's own memory, half a gigabyte, is not seen here.
        """
        if session not in self._pids:
            # The number by which the template knows it: the second, but for a box without namespaces.
            known = {
                status(pid).get("NSpid", "").split("\t")[:2][-1]: pid for pid in descendants(self._template)
            }
            if str(session) not in known:
                return 0
            self._pids[session] = known[str(session)]
        pid = self._pids[session]
        return max(0, memory(pid) - self._shared) + sum(memory(child) for child in descendants(pid))

    def close_channel(self, session: int) -> None:
        """Kill a session; returns when nothing of it is left."""
        self._pids.pop(session, None)
        try:
            self._control.send(json.dumps({"op": "close", "session": session}).encode())
            self._cpu = self._cpu_of(self._receive(BOX_REPLY_SECONDS))
        except (OSError, BoxError):
            self.close()

    def _receive(self, seconds: float) -> dict[str, Any]:
        if not self._readable(seconds):
            self.close()
            raise BoxError(f"the box did not answer within {seconds:.0f} s{self._last_words}")
        try:
            data = self._control.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.close()
            raise BoxError(f"the box ended{self._last_words}")
        reply = json.loads(data)
        if not isinstance(reply, dict):
            raise BoxError("the template sent something that is not a reply")
        return reply

    def _readable(self, seconds: float) -> bool:
        poll = select.poll()  # unlike select, not limited to the first 1024 descriptors
        poll.register(self._control, select.POLLIN)
        return bool(poll.poll(1000 * seconds))

    def _said(self) -> str:
        """The end of what bubblewrap or the template wrote to standard error."""
        try:
            size = os.fstat(self._complaints.fileno()).st_size
            text = os.pread(self._complaints.fileno(), 2000, max(0, size - 2000)).decode(errors="replace")
        except (OSError, ValueError):
            return ""
        lines = [line for line in text.splitlines() if line.strip()]
        return f": {lines[-1]}" if lines else ""

    def close(self) -> None:
        """Kill the box and everything in it; returns when nothing of it is left."""
        if self._control.fileno() < 0:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        # The kernel kills what bubblewrap leaves behind; the wire hangs up with the last of it.
        with contextlib.suppress(ConnectionError):
            while self._readable(BOX_END_SECONDS) and self._control.recv(65536):
                pass
        self._control.close()
        self._last_words = self._said()
        self._complaints.close()
