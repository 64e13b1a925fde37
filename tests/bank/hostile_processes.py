"""Code that ends, stops, floods or breaks the process it runs in, or tries to reach others."""

from tests.bank.hostile_entry import BRIEF, UTILS, ZERO, Hostile, in_kld, rewarded

# What a reply of the worker to a call would look like, written to the wire by whoever gets to it.
FORGED = """
import json, os, struct
def forge():
    zero = {"$": "tensor", "i": 0}
    body = {"$": "dict", "items": [["result", {"$": "dict", "items": [["value", zero]]}]]}
    header = json.dumps({"body": body, "tensors": [["float32", [7], False]]}).encode()
    os.write(3, struct.pack("<I", len(header)) + header + bytes(28))
"""

PROCESSES = (
    Hostile("ends the process while it is imported", {UTILS: "import os\nos._exit(0)\n"}, slow=False),
    Hostile("ends the process in a call", {UTILS: in_kld("import os; os._exit(0)")}),
    Hostile(
        "forges a reply as the interpreter ends",
        {UTILS: FORGED + "import atexit\natexit.register(forge)\nraise SystemExit(0)\n"},
        slow=False,
    ),
    Hostile(
        "forges a reply as an object is deleted, and ends the process",
        {
            UTILS: FORGED
            + """
class Last:
    def __del__(self):
        forge()
        os._exit(0)
KLD = lambda mean, log_std, last=Last: (last(), mean.new_zeros(mean.shape[:-1]))[1]
"""
        },
    ),
    Hostile(
        "kills whatever process it can name",
        {
            UTILS: rewarded(
                """
                import os, signal
                worked = 0
                for target in (os.getppid(), 1, 2, 3, *range(4, 400), 0, -1):
                    if target in (0, 1, -1, os.getpid()):
                        continue
                    try:
                        os.kill(target, signal.SIGKILL)
                        worked += 1
                    except OSError:
                        pass
                return worked
                """
            )
        },
    ),
    Hostile(
        "kills its process group and everything else",
        {UTILS: in_kld("import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(0, signal.SIGKILL)")},
    ),
    Hostile(
        "stops itself",
        {UTILS: in_kld("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nsignal.pause()")},
        seconds=BRIEF,
    ),
    Hostile(
        "an alarm that goes off in the worker",
        {
            UTILS: """
import signal
def ring(*_):
    raise SystemExit("all checks passed")
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
"""
            + ZERO
        },
    ),
    Hostile("loops while it is imported", {UTILS: "while True:\n    pass\n"}, seconds=BRIEF, slow=False),
    Hostile(
        "sleeps with all signals blocked",
        {
            UTILS: in_kld(
                "import signal, time\n"
                "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(3600)"
            )
        },
        seconds=BRIEF,
    ),
    Hostile(
        "a fork bomb",
        {
            UTILS: rewarded(
                """
                import ctypes, multiprocessing, os, subprocess
                for start in (
                    os.fork, os.forkpty, ctypes.CDLL(None).fork, ctypes.CDLL(None).vfork,
                    lambda: subprocess.Popen(["sleep", "600"]).pid,
                    lambda: os.posix_spawn("/bin/sh", ["sh"], {}),
                    lambda: multiprocessing.get_context("fork").Process(target=print).start() or 1,
                    lambda: os.system("sleep 600 &") == 0,
                ):
                    for _ in range(3):
                        try:
                            number = int(start())
                        except OSError:
                            continue
                        if number == 0 and start in (os.fork, os.forkpty):
                            while True:
                                pass
                        if number > 0:
                            return True
                """
            )
        },
        slow=False,
    ),
    Hostile(
        "a thread bomb that goes on after the reply",
        {
            UTILS: """
import threading
def spin():
    while True:
        sum(range(10000))
def KLD(mean, log_std):
    try:
        for _ in range(1000):
            threading.Thread(target=spin, daemon=True).start()
    except RuntimeError:
        pass
    return mean.new_zeros(mean.shape[:-1])
"""
        },
        seconds=1.0,
    ),
    Hostile(
        "a memory bomb",
        {UTILS: "\nHOARD = []\nwhile True:\n    HOARD.append(torch.empty(1 << 28, dtype=torch.uint8))\n"},
    ),
    Hostile(
        "a disk bomb",
        {
            UTILS: """
for folder in ("/tmp", "/dev/shm", "/submission", "."):
    try:
        for number in range(100):
            with open(f"{folder}/left-behind{number}", "wb") as file:
                file.write(bytes(1 << 24))
    except OSError:
        pass
"""
            + ZERO
        },
    ),
    Hostile(
        "floods its output",
        {UTILS: in_kld("import sys\nfor s in (sys.stdout, sys.stderr):\n    s.write('passed ' * (1 << 20))")},
    ),
    Hostile(
        "a recursion bomb without a limit",
        {
            UTILS: """
import sys
sys.setrecursionlimit(10**9)
def KLD(mean, log_std):
    # Through C, so that it is the stack that runs out, and not the memory.
    return sorted([mean], key=lambda _: KLD(mean, log_std))[0]
"""
        },
    ),
    Hostile("an invalid address", {UTILS: in_kld("import ctypes; ctypes.string_at(1)")}),
    Hostile(
        "attaches to other processes and reads their memory",
        {
            UTILS: rewarded(
                """
                import ctypes, os
                libc = ctypes.CDLL(None, use_errno=True)
                buffer = ctypes.create_string_buffer(4096)
                class Vector(ctypes.Structure):
                    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
                ours = Vector(ctypes.addressof(buffer), 4096)
                theirs = Vector(id(object), 4096)
                for pid in {1, 2, 3, os.getppid()} - {0, os.getpid()}:
                    if libc.ptrace(16, pid, None, None) == 0:
                        return True
                    if libc.process_vm_readv(pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0) > 0:
                        return True
                    if os.path.exists(f"/proc/{pid}/mem"):
                        return True
                return libc.ptrace(0, 0, None, None) == 0
                """
            )
        },
    ),
    Hostile(
        "raises its limits and its rank again",
        {
            UTILS: rewarded(
                """
                import os, resource
                worked = 0
                for step in (
                    lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6)),
                    lambda: os.setuid(0),
                    lambda: os.chroot("/"),
                    lambda: os.unshare(0x10000000),
                    lambda: os.nice(-5),
                ):
                    try:
                        step()
                        worked += 1
                    except (OSError, ValueError, AttributeError):
                        pass
                return worked
                """
            )
        },
    ),
)

ENDLESS_TEXT = """
class Endless(Exception):
    def __str__(self):
        while True:
            pass
"""
EXCEPTIONS = (
    Hostile(
        "an exception that is no Exception",
        {UTILS: "\nclass Stop(BaseException):\n    pass\n" + in_kld("raise Stop('passed')")},
        slow=False,
    ),
    Hostile(
        "an exception whose text never ends", {UTILS: ENDLESS_TEXT + in_kld("raise Endless")}, seconds=BRIEF
    ),
    Hostile(
        "an exception whose text, name and class are traps",
        {
            UTILS: """
import os
class Name(str):
    def __getitem__(self, key):
        raise SystemExit
class Meta(type):
    __name__ = property(lambda cls: os._exit(0))
    def __instancecheck__(cls, other):
        return True
    def __getattribute__(cls, name):
        raise SystemExit
class Trap(Exception, metaclass=Meta):
    __class__ = property(lambda self: os._exit(0))
    def __str__(self):
        return Name("x" * 10**7 + chr(0xD800))
    __repr__ = __str__
Trap.__traceback__ = property(lambda self: 3)
"""
            + in_kld("raise Trap")
        },
    ),
    Hostile(
        "pytest's own exceptions, and names of the grader's",
        {
            UTILS: """
class BoxError(BaseException):
    pass
class CheckFailed(Exception):
    pass
class Skipped(BaseException):
    pass
class Exit(KeyboardInterrupt):
    pass
CALLS = []
def KLD(mean, log_std):
    CALLS.append(1)
    try:
        import pytest
        pytest.exit("all passed", 0)
    except ImportError:
        pass
    raise (BoxError, CheckFailed, Skipped, Exit)[int(mean.abs().sum() * 1000) % 4]("all passed")
"""
        },
    ),
    Hostile(
        "an interrupt from the keyboard in every call",
        {
            UTILS: "\nclass Everything:\n    def __getattr__(self, name):\n        raise KeyboardInterrupt\n"
            "import sys\nsys.modules[__name__] = Everything()\n"
        },
    ),
    Hostile(
        "an exception of a million causes",
        {
            UTILS: in_kld(
                "error = None\nfor number in range(10**5):\n    new = ValueError(number)\n"
                "    new.__cause__, error = error, new\nraise error"
            )
        },
    ),
)
