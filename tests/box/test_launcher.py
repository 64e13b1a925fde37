"""The life of a box: it starts or says why not, and leaves nothing behind, however it ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from grader.box.client import Session
from grader.box.errors import BoxError, StudentError
from grader.box.launcher import Box, bubblewrap_arguments
from grader.box.processes import descendants
from grader.box.unprotected import UnprotectedBox

from .conftest import Probe
from .host import family, remaining

REPOSITORY = Path(__file__).parents[2]


class QuickBox(Box):
    """A box whose template imports torch alone, and runs some Python before it serves."""

    before = ""

    def command(self) -> list[str]:
        *rest, boot = super().command()
        start = "template.import_everything = lambda: None\n" + textwrap.dedent(self.before)
        return [*rest, boot.replace("template.main(", f"\n{start}\ntemplate.main(")]


@pytest.fixture
def quick_box():
    box = QuickBox()
    yield box
    box.close()


def test_garbage_is_collected_in_a_session_but_not_among_the_libraries(quick_box):
    probe = Probe(quick_box)
    assert probe.run("import gc; result = gc.isenabled()") is True
    assert probe.run("import gc; result = gc.get_freeze_count() > 10_000") is True
    probe.session.close()


def test_without_bubblewrap_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BoxError, match="apt install bubblewrap"):
        Box()


@pytest.mark.parametrize("command", [["/nonexistent"], ["false"], ["sh", "-c", "echo broken >&2; exit 3"]])
def test_a_box_that_cannot_start_says_so(command):
    class Broken(Box):
        def command(self):
            return command

    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(BoxError, match=r"broken|not found|ended"):
        Broken()
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_template_that_cannot_start_says_why():
    class Broken(QuickBox):
        before = "template.isolation.drop_privileges = template.import_everything = lambda: 1 / 0"

    with pytest.raises(BoxError, match="ZeroDivisionError"):
        Broken()


def test_only_the_wire_is_passed_on(tmp_path):
    (tmp_path / "secret").write_text("expected values")
    with open(tmp_path / "secret") as file:
        os.set_inheritable(file.fileno(), True)
        box = QuickBox()
        try:
            links = {
                (fd.name, os.readlink(fd).split(":")[0])
                for pid, _ in family(box.pid)
                for fd in Path(f"/proc/{pid}/fd").iterdir()
            }
        finally:
            box.close()
    assert not [link for link in links if "secret" in link[1]]


def test_closing_leaves_no_process_however_busy(quick_box):
    for code in ("while True: pass", "import time; time.sleep(600)"):
        session = Session(quick_box)
        session.files({"part1/probe.py": code.encode()})
        session.enter("part1")
        with session.deadline(0.3), pytest.raises(StudentError):
            session.load("probe")
    processes = family(quick_box.pid)
    assert len(processes) >= 5  # bubblewrap twice, the template, two sessions
    quick_box.close()
    assert not remaining(processes)
    assert not quick_box.alive()
    quick_box.close()
    with pytest.raises(BoxError, match="gone"):
        Session(quick_box)


def test_a_killed_box_is_the_grader_s_fault_and_known_to_be_dead(quick_box):
    probe = Probe(quick_box)
    processes = family(quick_box.pid)
    os.kill(quick_box.pid, signal.SIGKILL)
    assert not remaining(processes - {entry for entry in processes if entry[0] == quick_box.pid})
    with pytest.raises(BoxError):
        Session(quick_box)
    assert not quick_box.alive()
    with pytest.raises(
        StudentError
    ):  # what the session itself can tell is only that its end of the wire is gone
        probe.run("result = 1")
    probe.session.close()
    assert quick_box.cpu_seconds >= 0


def test_a_killed_template_ends_the_box(quick_box):
    processes = sorted(family(quick_box.pid))
    os.kill(processes[-1][0], signal.SIGKILL)
    with pytest.raises(BoxError):
        Session(quick_box)
    assert not quick_box.alive()
    assert not remaining(set(processes))


def test_a_killed_grader_leaves_no_process():
    program = """
        import sys, time
        from box.test_launcher import QuickBox
        from grader.box.client import Session
        box = QuickBox()
        session = Session(box)
        session.files({"part1/probe.py": b"while True: pass"})
        session.enter("part1")
        session._send(__import__("grader.box.wire").box.wire.pack(
            {"op": "load", "arguments": ("probe",)}), time.monotonic() + 5)
        print(box.pid, flush=True)
        time.sleep(600)
    """
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"}
    grader = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, env=environment, text=True
    )
    try:
        pid = int(grader.stdout.readline())
        processes = family(pid)
        assert len(processes) >= 4
    finally:
        grader.kill()
        grader.wait()
        grader.stdout.close()
    assert not remaining(processes)


def test_ctrl_c_in_the_terminal_does_not_reach_the_box(box):
    assert os.getpgid(box.pid) != os.getpgid(0)
    assert os.getsid(box.pid) != os.getsid(0)


def test_two_hundred_sessions_leave_nothing(box):
    def counted():
        return len(os.listdir("/proc/self/fd")), len(family(box.pid))

    Session(box).close()
    template = max(pid for pid, _ in family(box.pid))
    before, files = counted(), len(os.listdir(f"/proc/{template}/fd"))
    for _ in range(200):
        Session(box).close()
    assert counted() == before
    assert len(os.listdir(f"/proc/{template}/fd")) == files
    assert box.alive()


def test_many_sessions_can_be_open_and_end_in_any_order(box):
    before = family(box.pid)
    probes = [Probe(box) for _ in range(8)]
    for probe in probes[::2]:
        with contextlib.suppress(StudentError):
            probe.run("import os; os._exit(0)")  # ended by itself, not yet closed
    assert [probe.run("result = 5") for probe in probes[1::2]] == [5] * 4
    probes.append(Probe(box))
    for probe in probes[4:] + probes[:4]:
        probe.session.close()
    assert family(box.pid) == before


def test_closing_a_session_that_never_was_does_no_harm(box):
    for number in (0, 1, 2, -1, 10**6):
        box.close_channel(number)
    assert box.alive()
    Session(box).close()


def test_a_session_that_cannot_be_confined_never_starts_and_spoils_no_other():
    class Failing(QuickBox):
        before = """
            import isolation
            start, confine, count = template.start_session, isolation.confine, [0]
            def fail(): raise OSError("no such mount")
            def failing_twice(wire):
                count[0] += 1
                isolation.confine = fail if count[0] <= 2 else confine
                return start(wire)
            template.start_session = failing_twice
        """

    box = Failing()
    try:
        for _ in range(2):
            with pytest.raises(BoxError, match="no such mount"):
                Session(box)
        probe = Probe(box)  # one that nobody holds may have ended by the time of the count
        assert probe.run("result = 1") == 1
        assert len(family(box.pid)) == 4  # no zombie of the failed ones
    finally:
        box.close()


def test_processor_time_of_closed_sessions_is_counted(box):
    before = box.cpu_seconds
    probe = Probe(box)
    probe.run(
        """
        import time
        end = time.process_time() + 0.5
        while time.process_time() < end: pass
        """
    )
    probe.session.close()
    assert 0.5 <= box.cpu_seconds - before < 5


def test_without_a_sandbox_the_same_session_works_and_says_what_it_is():
    box = UnprotectedBox()
    folder = Path(box._folder.name)
    try:
        assert box.sandbox == "none"
        assert Probe(box).run("result = 6 * 7") == 42
        endless = Probe(box)
        with endless.session.deadline(0.3), pytest.raises(StudentError):
            endless.run("while True: pass")
        processes = family(box.pid)
    finally:
        box.close()
    assert not remaining(processes)
    assert not folder.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_a_box_starts_for_an_ordinary_user():
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    user = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    # setpriv may start a Python that lies in a closed folder, but that finds nothing of its own there.
    tests = str(REPOSITORY / "tests")
    question = f"import os, sys; print(sys.prefix, sys.base_prefix, os.access({tests!r}, os.R_OK))"
    where = subprocess.run([*user, sys.executable, "-c", question], capture_output=True, text=True)
    if where.stdout.split() != [sys.prefix, sys.base_prefix, "True"]:
        pytest.skip("this Python, or the kit, lies where other users cannot reach it")
    program = """
        from box.test_launcher import QuickBox
        from box.conftest import Probe
        box = QuickBox()
        probe = Probe(box)
        print(probe.run("import os; result = os.getuid()"), probe.call(272, 0x10000000), probe.call(57))
        probe.session.close()
        box.close()
    """
    environment = {
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}",
        "PATH": os.environ["PATH"],
        "HOME": "/tmp",
    }
    run = subprocess.run(
        [*user, sys.executable, "-c", textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.stdout.split() == ["65534", "EPERM", "EPERM"], run.stderr


def test_starting_is_quick_once_torch_is_in_memory(box):
    started = time.monotonic()
    for _ in range(5):
        Session(box).close()
    assert time.monotonic() - started < 10


def test_the_box_makes_its_tmp_before_it_shows_what_may_lie_below():
    # A kit unpacked below /tmp has its Python environment there.
    arguments = bubblewrap_arguments("bwrap", "pass")
    assert arguments[arguments.index("--tmpfs") + 1] == "/tmp"
    assert arguments.index("--tmpfs") < arguments.index("--ro-bind")


def test_a_box_need_not_be_waited_for():
    class SlowBox(QuickBox):
        before = "import time; time.sleep(0.5)"

    started = time.monotonic()
    box = SlowBox(wait=False)
    try:
        assert time.monotonic() - started < 0.4
        probe = Probe(box)
        assert probe.run("result = 1 + 1") == 2
        assert time.monotonic() - started > 0.5
        probe.session.close()
    finally:
        box.close()


def test_a_box_that_is_not_waited_for_and_cannot_start_says_so_at_its_first_session():
    class Broken(Box):
        def command(self):
            return ["sh", "-c", "echo broken >&2; exit 3"]

    box = Broken(wait=False)
    for _ in range(2):
        with pytest.raises(BoxError, match="broken"):
            box.open_channel()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is but one CPU")
def test_a_box_starts_on_more_cpus_than_its_grader_keeps_to_and_then_keeps_beside_it():
    class SlowBox(QuickBox):
        before = "import time; time.sleep(0.5)"

    everywhere = os.sched_getaffinity(0)
    here = {min(everywhere)}
    os.sched_setaffinity(0, here)
    try:
        box = SlowBox(wait=False, start_on=everywhere)
        try:
            assert os.sched_getaffinity(box.pid) == everywhere
            assert os.sched_getaffinity(0) == here
            box.wait()
            assert all(os.sched_getaffinity(pid) == here for pid in (box.pid, *descendants(box.pid)))
            probe = Probe(box)
            assert probe.run("import os; result = len(os.sched_getaffinity(0))") == 1
            probe.session.close()
        finally:
            box.close()
    finally:
        os.sched_setaffinity(0, everywhere)


def limited_box(limit: str) -> Box:
    """A box below lower limits than its own."""

    class LimitedBox(QuickBox):
        def command(self) -> list[str]:
            return ["sh", "-c", f'{limit}; exec "$@"', "sh", *super().command()]

    return LimitedBox()


def test_lower_limits_than_the_boxs_own_are_kept():
    box = limited_box("ulimit -v 7000000; ulimit -n 50; ulimit -t 200")
    try:
        probe = Probe(box)
        limits = probe.run(
            """
            import resource as r
            result = [r.getrlimit(kind)[1] for kind in (r.RLIMIT_AS, r.RLIMIT_NOFILE, r.RLIMIT_CPU)]
            """
        )
        assert limits == [7_000_000 * 1024, 50, 200]
        probe.session.close()
    finally:
        box.close()


def test_a_limit_that_is_too_low_for_a_right_submission_is_told():
    box = limited_box("ulimit -v 4500000")
    try:
        with pytest.raises(BoxError, match=r"limited to 4500000 kB, too little to mark with: ulimit -v unl"):
            Session(box)
    finally:
        box.close()
