"""The traps of the sandbox's design notes, by their numbers; the other files here go further.

Trap 11 (archives that escape or explode) is the submission reader's: see tests/submission.
"""

import os
import sys
import time
from pathlib import Path

import pytest
import torch

from grader.box.client import Session
from grader.box.errors import StudentError
from grader.box.launcher import ENVIRONMENT

from .host import family


def test_trap_1_only_three_small_folders_can_be_written(probe):
    writable = probe.run(
        """
        import os
        result = sorted({
            folder
            for top in ("/", "/dev", "/box", "/etc", "/proc", "/submission", "/tmp", "/dev/shm")
            for folder in (top, *(os.path.join(top, name) for name in os.listdir(top)))
            if os.path.isdir(folder) and os.access(folder, os.W_OK)
        })
        """
    )
    # A clone or an environment under /tmp shows its path in the box's own /tmp: the same small file system.
    places = (*Path(__file__).parents, *Path(sys.prefix).parents)
    clone = [str(folder) for folder in places if folder.parent == Path("/tmp")]
    writable = [folder for folder in writable if folder not in clone]
    assert writable == ["/dev/shm", "/submission", "/submission/part1", "/tmp"]
    for folder in ("/", "/dev", "/box", "/etc", "/proc", "/usr", "/dev/pts"):
        assert probe.refused(f"open({folder!r} + '/new', 'w')") in ("EROFS", "EACCES"), folder
    sizes = probe.run(
        """
        import os
        result = [os.statvfs(path).f_blocks * os.statvfs(path).f_frsize for path in
                  ("/submission", "/tmp", "/dev/shm")]
        """
    )
    assert all(0 < size <= 64 * 2**20 for size in sizes)


def test_trap_2_no_environment_but_the_box_s_own(box, probe):
    names = probe.run("import os; result = dict(os.environ)")
    extra = set(names) - set(ENVIRONMENT) - {"PWD", "PYTORCH_NVML_BASED_CUDA_CHECK"}
    assert not extra
    assert "PYTEST_CURRENT_TEST" in os.environ
    for pid, _ in family(box.pid):
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\x00")
        assert {variable.split(b"=")[0].decode() for variable in variables if variable} <= {
            *ENVIRONMENT,
            "PWD",
        }
    assert probe.refused("open('/proc/1/environ')") == "ENOENT"
    assert probe.refused("open('/proc/1/cmdline')") == "ENOENT"
    assert probe.refused("open('/proc/self/environ')") == "ENOENT"


def test_trap_3_no_descriptor_but_the_wire(box, probe):
    kinds = probe.run(
        """
        import os, stat
        result = {}
        for number in range(4096):
            try:
                status = os.fstat(number)
            except OSError:
                continue
            null = stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat("/dev/null").st_rdev
            result[number] = "null" if null else "socket" if stat.S_ISSOCK(status.st_mode) else "other"
        """
    )
    assert kinds == {0: "null", 1: "null", 2: "null", 3: "socket"}


def test_trap_4_the_session_is_nobody_and_its_tasks_are_counted(probe):
    assert probe.run("import os; result = [*os.getresuid(), *os.getresgid()]").count(0) == 0
    assert probe.run("import resource; result = list(resource.getrlimit(resource.RLIMIT_NPROC))") == [16, 16]
    started = probe.run(
        """
        import threading
        wait = threading.Event()
        result = 0
        try:
            for _ in range(100):
                threading.Thread(target=wait.wait, daemon=True).start()
                result += 1
        except RuntimeError:
            pass
        wait.set()
        """
    )
    assert 1 <= started < 16


def test_trap_5_no_nested_user_namespaces(probe):
    new_user, new_pid, thread = 0x10000000, 0x20000000, 0x00010000
    assert probe.call(272, new_user) == "EPERM"  # unshare
    assert probe.call(56, new_user | 17, 0, 0, 0, 0) == "EPERM"  # clone, SIGCHLD
    assert probe.call(56, new_user | new_pid | 17, 0, 0, 0, 0) == "EPERM"
    assert probe.call(56, new_user | thread, 0, 0, 0, 0) == "EINVAL"  # the kernel's own answer
    assert probe.call(435, 0, 0) == "ENOSYS"  # clone3


@pytest.mark.parametrize("victim", [1, 2, 3])
def test_trap_6_nothing_can_be_traced(probe, victim):
    attach, seize = 16, 0x4206
    assert probe.call(101, attach, victim, 0, 0) == "EPERM"
    assert probe.call(101, seize, victim, 0, 0) == "EPERM"
    assert probe.call(310, victim, 0, 0, 0, 0, 0) == "EPERM"  # process_vm_readv
    assert probe.call(311, victim, 0, 0, 0, 0, 0) == "EPERM"  # process_vm_writev


def test_trap_7_a_fork_can_use_several_threads(box, probe):
    threads = [
        int(Path(f"/proc/{pid}/status").read_text().split("Threads:")[1].split()[0])
        for pid, _ in family(box.pid)
    ]
    assert set(threads) == {1}  # bubblewrap, the template and a session that has done nothing yet
    with probe.session.deadline(30):
        total = probe.run(
            """
            import torch
            torch.set_num_threads(2)
            result = (torch.ones(600, 600) @ torch.ones(600, 600)).sum().item()
            """
        )
    assert total == 600**3


def test_trap_8_the_first_optimizer_step_imports_nothing(probe):
    new, seconds = probe.run(
        """
        import sys, time, torch
        weight = torch.zeros(3, requires_grad=True)
        optimizer = torch.optim.Adam([weight])
        weight.sum().backward()
        before, started = set(sys.modules), time.process_time()
        optimizer.step()
        result = [len(set(sys.modules) - before), time.process_time() - started]
        """
    )
    assert new == 0
    assert seconds < 0.5


def test_trap_9_a_loader_with_workers_fails_instead_of_hanging(probe):
    loader = """
        import torch
        from torch.utils.data import DataLoader, TensorDataset
        loader = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers={workers})
        result = sum(len(batch[0]) for batch in loader)
    """
    assert probe.run("import socket; socket.socketpair(); result = 1") == 1
    assert probe.run(loader.format(workers=0)) == 8
    assert probe.refused(loader.format(workers=2)) == "EPERM"


def test_trap_10_the_processor_is_shown_and_nothing_else_of_proc(probe):
    assert sorted(probe.run("import os; result = os.listdir('/proc')")) == ["cpuinfo", "meminfo"]
    assert "processor" in probe.run("result = open('/proc/cpuinfo').read(1000)")


@pytest.mark.parametrize(
    "use",
    [
        "import torch; torch.distributions.Normal(0, 1)",
        "import torch.distributions as D; D.Normal(0., 1.)",
        "from torch.distributions import Normal; Normal(0, 1)",
        "from torch.distributions.normal import Normal; Normal(0, 1)",
        "from torch import distributions; distributions.kl_divergence(1, 2)",
        "import importlib; importlib.import_module('torch.distributions').kl.kl_divergence(1, 2)",
        "from torch.distributions import *; Normal(0, 1)",
    ],
)
def test_trap_12_distributions_are_refused_however_imported(probe, use):
    if "*" in use:
        assert probe.refused(use) == "NameError"
        return
    with pytest.raises(StudentError, match=r"torch\.distributions is not allowed"):
        probe.run(use)
    probe.run("import torch; torch.optim.Adam([torch.zeros(2, requires_grad=True)]).step()")
    probe.run("import torch; torch.nn.TransformerEncoderLayer(4, 2)")


def test_trap_13_tensorboard_can_start_its_thread(probe):
    written = probe.run(
        """
        import os
        from torch.utils.tensorboard import SummaryWriter
        writer = SummaryWriter("/tmp/logs")
        writer.add_scalar("loss", 0.5, 1)
        writer.close()
        result = sum(os.path.getsize(os.path.join("/tmp/logs", name)) for name in os.listdir("/tmp/logs"))
        """
    )
    assert written > 0


def test_trap_14_the_parts_modules_of_one_name_do_not_meet(box):
    values = []
    for part in ("part1", "part2"):
        session = Session(box)
        session.files({f"{part}/utils.py": f"def part(): return {part!r}\n".encode()})
        session.files({f"{part}/train.py": b"from utils import part\n"})
        session.enter(part)
        values.append(session.load("train").part())
        session.close()
    assert values == ["part1", "part2"]


def test_trap_14_no_name_of_the_assignment_is_taken(probe):
    names = ("utils", "mnist", "train", "train_pl", "models", "cnn_encoder_decoder")
    assert probe.run(f"import sys; result = [name for name in {names} if name in sys.modules]") == []


def test_a_session_is_ready_within_a_moment(box):
    started = time.monotonic()
    session = Session(box)
    session.files({"part1/utils.py": b"def double(x): return 2 * x\n"})
    session.enter("part1")
    assert session.load("utils").double(torch.ones(2)).tolist() == [2, 2]
    session.close()
    assert time.monotonic() - started < 5
