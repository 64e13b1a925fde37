"""Two sessions of one box know nothing of each other: what one encodes, the other cannot be told."""

import contextlib
import os
from pathlib import Path

import pytest

from grader.box.errors import StudentError

from .conftest import Probe
from .host import family

MEETING = {
    "abstract socket, stream": (
        "import builtins, socket as k; s = builtins.s = k.socket(k.AF_UNIX); s.bind('\\0meet'); s.listen()",
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0meet')",
    ),
    "abstract socket, datagram": (
        "import builtins, socket as k; s = builtins.s = k.socket(k.AF_UNIX, k.SOCK_DGRAM); s.bind('\\0meet')",
        "import socket as k; k.socket(k.AF_UNIX, k.SOCK_DGRAM).sendto(b'image', '\\0meet')",
    ),
    "terminal": (
        "import builtins, os; builtins.pair = os.openpty(); os.write(builtins.pair[0], b'image\\n')",
        "import os; os.read(os.open('/dev/pts/0', os.O_RDWR | os.O_NONBLOCK), 9)",
    ),
    "lock of a file": (
        "import builtins, fcntl; f = builtins.f = open('/usr/bin/env', 'rb'); fcntl.flock(f, fcntl.LOCK_EX)",
        "import fcntl; f = open('/usr/bin/env', 'rb'); fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)",
    ),
    "locks of a file's ranges": (
        "import builtins, fcntl; f = builtins.f = open('/usr/bin/env', 'rb'); fcntl.lockf(f, 1, 1, 9)",
        "import fcntl; fcntl.fcntl(open('/usr/bin/env', 'rb'), fcntl.F_GETLK, bytes(32))",
    ),
    "watch on a file": (
        "import builtins, ctypes, os; l = ctypes.CDLL(None, use_errno=True); f = l.inotify_init1(0)\n"
        "if f < 0: raise OSError(ctypes.get_errno(), 'inotify')",
        "import ctypes; l = ctypes.CDLL(None, use_errno=True)\n"
        "if l.inotify_init() < 0: raise OSError(ctypes.get_errno(), 'inotify')",
    ),
    "notice of a folder's use": (
        "import fcntl, os; fcntl.fcntl(os.open('/usr/bin', os.O_RDONLY), fcntl.F_NOTIFY, 1)",
        "import fcntl, os; fcntl.fcntl(os.open('/usr/bin', os.O_RDONLY), fcntl.F_NOTIFY, 1)",
    ),
    "pages in memory": (
        "import os; os.preadv(os.open('/usr/bin/env', os.O_RDONLY), [bytearray(1)], 0, os.RWF_NOWAIT)",
        "import os; os.preadv(os.open('/usr/bin/env', os.O_RDONLY), [bytearray(1)], 0, os.RWF_NOWAIT)",
    ),
}


@pytest.mark.parametrize("way", MEETING)
def test_two_sessions_cannot_meet(open_probe, way):
    first, second = open_probe(), open_probe()
    prepare, meet = MEETING[way]
    refusals = ("EPERM", "ENOENT", "ECONNREFUSED")
    first.refused(prepare)
    assert second.refused(meet) in refusals


def test_a_socket_without_a_name_gets_none_that_others_can_use(open_probe):
    # Asking for credentials makes the kernel name the socket by itself, in the network namespace.
    first, second = open_probe(), open_probe()
    name = first.run(
        """
        import builtins, socket
        receiver = builtins.receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            receiver.sendto(b"x", "\\0nobody")
        except OSError:
            pass
        result = receiver.getsockname().hex() if receiver.getsockname() else ""
        """
    )
    if name:
        code = (
            f"import socket as k; k.socket(k.AF_UNIX, k.SOCK_DGRAM).sendto(b'image', bytes.fromhex({name!r}))"
        )
        assert second.refused(code) == "ECONNREFUSED"


def test_namespaces_are_each_session_s_own(box, open_probe):
    before = family(box.pid)
    open_probe(), open_probe()
    first, second = ((Path(f"/proc/{pid}/ns")) for pid, _ in family(box.pid) - before)
    for kind in ("user", "mnt", "pid", "ipc", "uts", "net"):
        names = {
            (first / kind).readlink(),
            (second / kind).readlink(),
            Path(f"/proc/self/ns/{kind}").readlink(),
        }
        assert len(names) == 3, kind


@pytest.mark.parametrize("folder", ["/tmp", "/submission", "/dev/shm"])
def test_files_are_gone_with_their_session(open_probe, folder):
    first = open_probe()
    first.run(f"open('{folder}/left', 'w').write('image')")
    second = open_probe()
    assert second.refused(f"open('{folder}/left')") == "ENOENT"
    first.session.close()
    assert open_probe().refused(f"open('{folder}/left')") == "ENOENT"


def test_nothing_in_memory_is_left_to_the_next_session(open_probe):
    first = open_probe()
    first.run(
        """
        import builtins, os, random, sys, numpy, torch
        builtins.left = 1
        os.environ["LEFT"] = "1"
        sys.modules["left"] = sys
        torch.left = 1
        torch.allclose = None
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        torch.manual_seed(1), numpy.random.seed(1), random.seed(1)
        os.umask(0o777)
        os.chdir("/")
        sys.path.clear()
        sys.setrecursionlimit(100_000)
        """
    )
    first.session.close()
    left = open_probe().run(
        """
        import builtins, os, sys, torch
        result = [
            hasattr(builtins, "left"),
            "LEFT" in os.environ,
            "left" in sys.modules,
            hasattr(torch, "left"),
            torch.allclose is None,
            torch.get_default_dtype() is torch.float64,
            torch.get_num_threads() != 1,
            os.getcwd() != "/submission/part1",
            sys.getrecursionlimit() != 1000,
        ]
        """
    )
    assert left == [False] * len(left)


def test_a_session_sees_no_process_of_another(open_probe):
    open_probe()
    probe = open_probe()
    assert probe.run("import os; result = os.getpid()") == 1
    alive = probe.run(
        """
        import os
        result = []
        for number in range(2, 5000):
            try:
                os.kill(number, 0)
                result.append(number)
            except ProcessLookupError:
                pass
        """
    )
    assert alive == []


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.kill(0, 9)",
        "import os; os.killpg(0, 9)",
        "import os; os.kill(os.getppid(), 9)",
        "import os; os.kill(-1, 9)",
        "import os; os.killpg(os.getpgrp(), 9)",
        "import os; os.kill(0, 19)",
        "import os; os.setpriority(os.PRIO_USER, 0, 19)",
        "import os; os.setpriority(os.PRIO_PGRP, 0, 19)",
    ],
)
def test_neither_signals_nor_priorities_cross(box, open_probe, code):
    attacker, neighbour = open_probe(), open_probe()
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    with attacker.session.deadline(3), contextlib.suppress(StudentError):
        attacker.run(code)
    assert neighbour.run("result = 1") == 1
    assert box.alive()
    slowed = [pid for pid, _ in family(box.pid) if os.getpriority(os.PRIO_PROCESS, pid) != nice]
    assert len(slowed) <= 1  # the attacker itself


DRAWN = """
    import random, numpy, torch
    result = [random.random(), float(numpy.random.rand()), float(torch.rand(()))]
"""


def test_a_seed_is_for_the_next_request_and_for_every_generator(probe: Probe) -> None:
    probe.session.seed(5)
    first = probe.run(DRAWN)
    second = probe.run(DRAWN)
    probe.session.seed(5)
    again = probe.run(DRAWN)
    assert first == again
    assert not set(first) & set(second)
