"""Code that uses up what there is: the session bears it, or dies alone."""

import sys
import time
from pathlib import Path

import pytest

from grader.box.errors import StudentError

from .host import family, remaining


def ends(probe, code, seconds=1.0):
    """How code ends that may not end by itself."""
    started = time.monotonic()
    with probe.session.deadline(seconds), pytest.raises(StudentError) as caught:
        probe.run(code)
    probe.session.close()
    assert time.monotonic() - started < seconds + 5
    return caught.value.kind


def still_works(probe):
    return probe.run("result = 6 * 7") == 42


def test_memory_is_limited_and_the_session_lives_on(probe):
    assert probe.refused("bytearray(5 << 30)") == "MemoryError"
    assert probe.refused("import torch; torch.empty(5 << 30, dtype=torch.uint8)") == "RuntimeError"
    assert probe.refused("import mmap; mmap.mmap(-1, 5 << 30)") == "ENOMEM"
    assert probe.run("import torch; result = torch.empty(1 << 30, dtype=torch.uint8).numel()") == 1 << 30
    taken = probe.run(
        """
        import torch
        hoard = []
        try:
            while True:
                hoard.append(torch.empty(1 << 28, dtype=torch.uint8))
        except RuntimeError:
            result = len(hoard)
        """
    )
    assert 4 <= taken <= 16  # pieces of 256 MB
    assert still_works(probe)


def test_the_kernel_would_kill_a_session_before_anything_else(box, probe):
    scores = {pid: int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid, _ in family(box.pid)}
    assert list(scores.values()).count(1000) == 1  # the session; the box itself is like the grader


def test_threads_are_limited_and_the_session_lives_on(probe):
    code = """
        import threading, time
        for _ in range(1000):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    """
    assert probe.refused(code) == "RuntimeError"
    assert still_works(probe)


def test_two_sessions_do_not_share_their_number_of_threads(open_probe):
    first, second = open_probe(), open_probe()
    code = """
        import threading, time
        for _ in range(10):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        result = threading.active_count()
    """
    assert first.run(code) == second.run(code) == 11


@pytest.mark.parametrize("folder", ["/tmp", "/submission", "/dev/shm"])
def test_disk_space_is_limited(probe, folder):
    assert probe.refused(f"open('{folder}/big', 'wb').truncate(65 << 20)") in ("EFBIG", "ENOSPC")
    written = probe.run(
        f"""
        result = 0
        try:
            for number in range(100):
                with open(f"{folder}/piece{{number}}", "wb") as file:
                    result += file.write(bytes(1 << 20))
        except OSError as error:
            result = [result >> 20, error.errno]
        """
    )
    assert written[0] <= 64
    assert written[1] == 28  # ENOSPC
    assert still_works(probe)


def test_the_folders_share_their_space_and_nothing_else(probe):
    listed = probe.run("import os; result = [os.listdir(p) for p in ('/tmp', '/dev/shm', '/submission')]")
    environment = Path(sys.prefix)  # shown read-only where it lies, which may be below /tmp
    shown = [environment.parts[2]] if environment.is_relative_to("/tmp") else []
    assert listed == [shown, [], ["part1"]]
    written = probe.run(
        """
        result = 0
        for folder in ("/tmp", "/submission", "/dev/shm"):
            try:
                for number in range(100):
                    with open(f"{folder}/piece{number}", "wb") as file:
                        result += file.write(bytes(1 << 20))
            except OSError:
                pass
        """
    )
    assert written <= 64 << 20
    assert still_works(probe)


@pytest.mark.parametrize("folder", ["/tmp", "/submission", "/dev/shm"])
def test_the_number_of_files_is_limited(probe, folder):
    made = probe.run(
        f"""
        import os
        result = 0
        try:
            while result < 20_000:
                os.mkdir(f"{folder}/{{result}}")
                result += 1
        except OSError:
            pass
        """
    )
    assert made <= 4096
    assert still_works(probe)


def test_descriptors_run_out_and_the_session_lives_on(probe):
    assert (
        probe.refused("import builtins, os; builtins.kept = [open('/dev/null') for _ in range(100)]")
        == "EMFILE"
    )
    assert probe.refused("import os; [os.pipe() for _ in range(100)]") == "EMFILE"
    assert still_works(probe)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(3600)",
        "sum(range(10**13))",  # in C, deaf to signals
        "import re; re.match(r'(a+)+$', 'a' * 60 + 'b')",
        "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); signal.pause()",
        "import os; os.read(3, 1)",  # waits for a request that never comes
        "class Endless(Exception):\n    def __str__(self):\n        while True: pass\nraise Endless",
    ],
)
def test_what_never_ends_is_ended(box, probe, code):
    before = family(box.pid)
    assert ends(probe, code) == "timeout"
    session = before - family(box.pid)
    assert len(session) == 1
    assert not remaining(session)


def test_processor_time_has_a_limit_of_its_own(probe):
    soft, hard = probe.run("import resource; result = list(resource.getrlimit(resource.RLIMIT_CPU))")
    assert soft == hard == 240


def test_the_kernel_ends_who_spends_more_processor_time(probe):
    # A handler catches the soft limit; the hard one kills even the first process of a namespace.
    code = """
        import resource, signal
        signal.signal(signal.SIGXCPU, lambda *_: None)
        used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + 1, used + 1))
        while True: pass
    """
    assert ends(probe, code, 20) == "died"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_flood_of_output_goes_nowhere(probe, stream):
    code = f"""
        import sys
        for _ in range(50):
            sys.{stream}.write("x" * (1 << 20))
        sys.{stream}.flush()
        result = "done"
    """
    assert probe.run(code) == "done"


def test_a_flood_on_the_wire_is_a_broken_wire(probe):
    code = """
        import os
        while True:
            os.write(3, b"flood" * 10000)
    """
    assert ends(probe, code, 5) == "protocol"


def test_a_result_that_is_too_large_is_unusable(probe):
    for code in (
        "import torch; result = torch.zeros(65 << 20, dtype=torch.uint8)",
        "import torch; result = torch.zeros(1).expand(2**50)",
        "result = 'x' * (1 << 20)",
        "result = list(range(100_000))",
        "result = [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
        "result = 10**100",
    ):
        with pytest.raises(StudentError) as caught:
            probe.run(code)
        assert caught.value.kind == "unusable", code
    assert still_works(probe)
